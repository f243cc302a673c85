import Files
import Foundation
import TestSupport
import Testing

@Suite struct AtomicFileTests {
    @Test func writesAndReplaces() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a/b/file.txt"
            try AtomicFile.write("first", to: path)
            #expect(try contents(of: path) == Array("first".utf8))
            try AtomicFile.write([1, 2, 3], to: path)
            #expect(try contents(of: path) == [1, 2, 3])
            try AtomicFile.write([UInt8](), to: path)
            #expect(try contents(of: path) == [])
            #expect(try names(in: "\(folder)/a/b") == ["file.txt"])
        }
    }

    @Test func partsComeTogether() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/parts"
            let file = try AtomicFile(path)
            for part in 0..<100 { try file.write([UInt8](repeating: UInt8(part), count: 1000)) }
            #expect(!FileManager.default.fileExists(atPath: path), "nothing to be seen before the commit")
            try file.commit()
            #expect(try contents(of: path) == (0..<100).flatMap { [UInt8](repeating: UInt8($0), count: 1000) })
        }
    }

    @Test func abandonedFilesLeaveTheOldOne() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/kept"
            try AtomicFile.write("old", to: path)
            do {
                let file = try AtomicFile(path)
                try file.write(Array("half".utf8))
                _ = consume file
            }
            #expect(try contents(of: path) == Array("old".utf8))
            #expect(try names(in: folder) == ["kept"])
        }
    }

    /// What a killed process left is overwritten, not added to.
    @Test func leftoversAreOverwritten() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/file"
            try Data("a longer leftover".utf8).write(to: URL(fileURLWithPath: path + ".partial"))
            try AtomicFile.write("new", to: path)
            #expect(try contents(of: path) == Array("new".utf8))
            #expect(try names(in: folder) == ["file"])
        }
    }

    #if os(Linux)
    /// A full disk: the temporary name leads to the device that is always full.
    @Test func fullDisksLeaveTheOldFile() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/file"
            try AtomicFile.write("old", to: path)
            try FileManager.default.createSymbolicLink(atPath: path + ".partial", withDestinationPath: "/dev/full")
            let error = #expect(throws: FileError.self) { try AtomicFile.write("new", to: path) }
            #expect(error?.code == ENOSPC && error?.path == path)
            #expect(error?.description == "cannot write \(path): no space left on device; free some space, or choose another folder")
            #expect(try contents(of: path) == Array("old".utf8))
            #expect(try names(in: folder) == ["file"])
        }
    }
    #endif

    @Test func impossiblePlacesAreNamed() throws {
        try withTemporaryFolder { folder in
            let file = "\(folder)/file"
            try AtomicFile.write("old", to: file)
            // A folder that is a file, and a file that is a folder.
            let below = #expect(throws: FileError.self) { try AtomicFile.write("new", to: "\(file)/below/x") }
            #expect(below?.code == ENOTDIR || below?.code == EEXIST, "\(String(describing: below))")
            #expect(below?.description.hasPrefix("cannot make the folder \(file)/below: ") == true, "\(String(describing: below))")
            let onto = #expect(throws: FileError.self) { try AtomicFile.write("new", to: folder) }
            #expect(onto?.code == EISDIR, "\(String(describing: onto))")
            let name = String(repeating: "x", count: 300)
            let long = #expect(throws: FileError.self) { try AtomicFile.write("new", to: "\(folder)/\(name)") }
            #expect(long?.code == ENAMETOOLONG)
            #expect(try names(in: folder) == ["file"])
            #expect(!FileManager.default.fileExists(atPath: folder + ".partial"))
            #expect(try contents(of: file) == Array("old".utf8))
        }
    }

    @Test func remediesFitTheError() {
        #expect(FileError("read", path: "/x", systemCode: EACCES).description.contains("permissions"))
        let absent = FileError("read", path: "/x", systemCode: ENOENT)
        #expect(absent.description == "cannot read /x: no such file or directory; check the path")
        #expect(FileError("write", path: "/x", systemCode: EIO).description == "cannot write /x: input/output error")
        #expect(FileError(path: "/x", description: "other").code == 0)
    }
}
