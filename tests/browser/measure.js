(() => {
  const W = innerWidth, H = innerHeight, wrong = [];
  const visible = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 0;
  const name = (e) => e.id || e.className || e.tagName;
  if (document.documentElement.scrollWidth > W || document.documentElement.scrollHeight > H) wrong.push("the page scrolls");
  for (const e of document.querySelectorAll("main, main *")) {
    if (!visible(e) || e.closest("svg") || e.id === "preview") continue;
    const style = getComputedStyle(e);
    if (/auto|scroll/.test(style.overflow) || (style.display !== "inline" && (e.scrollHeight > e.clientHeight + 2 || e.scrollWidth > e.clientWidth + 2) && style.overflow === "hidden" && e.id !== "picture"))
      wrong.push(`${name(e)} is cut or scrolls`);
    const r = e.getBoundingClientRect();
    if (!e.closest("#picture") && (r.left < -1 || r.top < -1 || r.right > W + 1 || r.bottom > H + 1)) wrong.push(`${name(e)} is outside`);
  }
  for (const b of document.querySelectorAll("button")) {
    if (!visible(b)) continue;
    for (const s of b.querySelectorAll("span")) {
      const range = document.createRange();
      range.selectNodeContents(s);
      const t = range.getBoundingClientRect(), r = b.getBoundingClientRect();
      if (t.left < r.left + 1 || t.right > r.right - 1 || t.top < r.top - 1 || t.bottom > r.bottom + 1) wrong.push(`the label ${s.textContent} does not fit its button`);
    }
  }
  const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  let smallestTextPx = 1e9, smallestContrast = 1e9, smallestTargetPx = 1e9;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; (n = walk.nextNode()); ) {
    const e = n.parentElement;
    if (!n.textContent.trim() || !visible(e)) continue;
    const style = getComputedStyle(e);
    smallestTextPx = Math.min(smallestTextPx, parseFloat(style.fontSize));
    const a = light(rgb(style.color)), b = light(behind(e));
    smallestContrast = Math.min(smallestContrast, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  for (const b of document.querySelectorAll("button")) {
    if (!visible(b)) continue;
    const r = b.getBoundingClientRect();
    smallestTargetPx = Math.min(smallestTargetPx, r.width, r.height);
  }
  const prompt = document.querySelector("#prompt .zh"), p = prompt.getBoundingClientRect();
  if (document.body.dataset.state === "showing" && !(p.width > 50 && p.height > 20 && p.top >= 0 && p.bottom <= H)) wrong.push("the prompt is not visible");
  if (document.body.dataset.action) {
    const d = document.querySelector("#demo").getBoundingClientRect();
    if (d.height < 90 || d.bottom > H || d.right > W) wrong.push(`the movement is shown only ${d.height} px high`);
  }
  if (document.body.dataset.layout === "picture") {
    const c = document.querySelector("#picture").getBoundingClientRect();
    if (c.height < 200 || c.width < 240) wrong.push(`the picture is only ${c.width}x${c.height}`);
  }
  return { wrong, smallestTextPx, smallestContrast, smallestTargetPx, promptPx: parseFloat(getComputedStyle(prompt).fontSize) };
})()
