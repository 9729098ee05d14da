/* Runs before everything else, in any browser: says a sentence where the page itself cannot start. ES5 only. */
(function () {
  "use strict";
  var words = __WORDS__;
  var text = words[remembered()] || words["zh-CN"];
  var told = false;

  function remembered() {
    try {
      return window.localStorage.getItem("grid.language");
    } catch (closed) {
      return closed && null; // a view without storage
    }
  }

  /* What the built pages take for granted; older engines lack at least one of these. */
  function old() {
    var script = document.createElement("script");
    return !(
      "noModule" in script &&
      typeof Promise === "function" &&
      typeof Promise.any === "function" &&
      typeof String.prototype.replaceAll === "function" &&
      typeof AbortController === "function" &&
      typeof IntersectionObserver === "function" &&
      window.indexedDB &&
      window.fetch &&
      window.crypto &&
      window.crypto.getRandomValues
    );
  }

  function line(tag, sentence, box) {
    var made = document.createElement(tag);
    made.appendChild(document.createTextNode(sentence));
    made.style.margin = "0 0 16px";
    made.style.fontSize = tag === "h1" ? "22px" : "18px";
    made.style.lineHeight = "1.6";
    box.appendChild(made);
  }

  function tell(title, steps) {
    var app = document.getElementById("app");
    var box = document.createElement("div");
    if (told || !app) return;
    told = true;
    box.setAttribute("role", "alert");
    box.style.padding = "40px 24px";
    box.style.maxWidth = "560px";
    line("h1", title, box);
    for (var i = 0; i < steps.length; i += 1) line("p", steps[i], box);
    // The page's own element goes, so that nothing can be drawn over the sentence.
    app.parentNode.replaceChild(box, app);
  }

  function ready(work) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", work);
    else work();
  }

  var inside = /micromessenger|wxwork/i.test(navigator.userAgent);
  if (old()) {
    ready(function () {
      tell(text.old, inside ? [text.outside, text.update] : [text.update]);
    });
    return;
  }
  /* Whether flex boxes are spaced by gap: Safari 14.0 takes the word and does nothing. */
  ready(function () {
    var box = document.createElement("div");
    box.style.display = "flex";
    box.style.flexDirection = "column";
    box.style.rowGap = "1px";
    box.style.position = "absolute";
    box.appendChild(document.createElement("div"));
    box.appendChild(document.createElement("div"));
    document.body.appendChild(box);
    if (box.scrollHeight !== 1) document.documentElement.className += " no-gap";
    document.body.removeChild(box);
  });

  // A part of the page that does not arrive would leave it white.
  window.addEventListener(
    "error",
    function (event) {
      var target = event.target;
      var app = document.getElementById("app");
      if (target && target.tagName === "SCRIPT" && app && !app.firstChild) {
        ready(function () {
          tell(text.failed, [text.reload]);
        });
      }
    },
    true
  );
})();
