/// Shows a point's thumbnail beside the pointer, and singles out a class. Without it the page is whole: points keep their titles.
/// Neither `<` nor `&` occurs in it, so that the page stays well-formed XML.
enum ReportScript {
    static let text = """
        (function () {
        'use strict';
        var map = document.querySelector('.maps');
        var peek = document.getElementById('peek');
        var data = document.getElementById('map-images');
        if (!map || !peek || !data) return;
        var images = JSON.parse(data.textContent);
        var picture = peek.querySelector('img'), name = peek.querySelector('span');
        function label(point) {
          var title = point.querySelector('title');
          if (title) { point.setAttribute('data-label', title.textContent); title.remove(); }
          return point.getAttribute('data-label');
        }
        function show(event) {
          var point = event.target.closest('.series path');
          if (!point) { peek.hidden = true; return; }
          var address = images[Number(point.getAttribute('data-key'))];
          var hasImage = point.hasAttribute('data-key') ? Boolean(address) : false;
          picture.hidden = !hasImage;
          if (hasImage) picture.src = address;
          name.textContent = label(point);
          peek.hidden = false;
          var box = point.getBoundingClientRect();
          var x = Math.min(box.right + 10, window.innerWidth - peek.offsetWidth - 8);
          var y = box.top - peek.offsetHeight - 8;
          peek.style.left = Math.max(8, x) + 'px';
          peek.style.top = (y > 8 ? y : box.bottom + 8) + 'px';
        }
        map.addEventListener('pointerover', show);
        map.addEventListener('pointerdown', show);
        map.addEventListener('pointerleave', function () { peek.hidden = true; });
        window.addEventListener('scroll', function () { peek.hidden = true; }, { passive: true });
        var buttons = document.querySelectorAll('.legend button');
        buttons.forEach(function (button) {
          button.addEventListener('click', function () {
            var on = button.getAttribute('aria-pressed') !== 'true';
            buttons.forEach(function (other) { other.setAttribute('aria-pressed', String(on ? other === button : false)); });
            map.querySelectorAll('.series').forEach(function (series) {
              var chosen = series.getAttribute('data-series') === button.getAttribute('data-series');
              series.classList.toggle('faint', on ? !chosen : false);
            });
          });
        });
        })();
        """
}
