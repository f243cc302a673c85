#include "shim.h"
#include <c10/util/Exception.h>
#include <new>

namespace {

thread_local std::string message;

bool mentions(const std::string &text, std::initializer_list<const char *> words) {
    for (const char *word : words)
        if (text.find(word) != std::string::npos) return true;
    return false;
}

ct_status classify(const std::string &text) {
    if (mentions(text, {"out of memory", "can't allocate memory", "not enough memory"})) return CT_OUT_OF_MEMORY;
    if (mentions(text, {"size", "shape", "dimension", "Dimension", "broadcast"})) return CT_SHAPE;
    return CT_OTHER;
}

}  // namespace

const char *ct_message(void) { return message.c_str(); }

ct_status shim::failure() noexcept {
    try {
        throw;
    } catch (const c10::OutOfMemoryError &error) {
        message = error.what_without_backtrace();
        return CT_OUT_OF_MEMORY;
    } catch (const c10::Error &error) {
        message = error.what_without_backtrace();
        return classify(message);
    } catch (const std::bad_alloc &) {
        message = "out of memory";
        return CT_OUT_OF_MEMORY;
    } catch (const std::exception &error) {
        message = error.what();
        // libtorch's plain exceptions carry a stack trace after the first line.
        if (auto end = message.find('\n'); end != std::string::npos) message.resize(end);
        return classify(message);
    } catch (...) {
        message = "an unknown C++ exception";
        return CT_OTHER;
    }
}
