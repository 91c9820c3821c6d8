// Filters and folded groups of the table, and evidence that opens when its link is followed.
(() => {
  const rows = [...document.querySelectorAll("tr[data-case]")];
  const search = document.querySelector("#search");
  const buttons = [...document.querySelectorAll("button[data-status]")];
  const pressed = () => buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.status);
  const press = (button, is) => button.setAttribute("aria-pressed", is ? "true" : "false");
  // Each group: its head, the rows below, and the button that folds them. A table without groups is one without a head.
  const groups = [];
  for (const row of document.querySelectorAll("tr.group, tr[data-case]")) {
    const isHead = row.classList.contains("group");
    if (isHead || groups.length === 0) groups.push({ head: isHead ? row : null, rows: [], fold: row.querySelector("button.fold") });
    if (!isHead) groups.at(-1).rows.push(row);
  }
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  if (search) {
    // A filter shows what it finds, folded or not.
    const show = () => {
      const words = search.value.trim().toLowerCase();
      const wanted = pressed();
      const matches = (row) => texts.get(row).includes(words)
        && (wanted.length === 0 || wanted.some((w) => row.dataset.statuses.split(" ").includes(w)));
      let count = 0;
      for (const { head, rows, fold } of groups) {
        const open = words || wanted.length || !fold || fold.getAttribute("aria-expanded") === "true";
        let any = false;
        for (const row of rows) {
          const found = matches(row);
          row.hidden = !(found && open);
          any = any || found;
          count += found ? 1 : 0;
        }
        if (head) {
          head.hidden = !any;
          head.classList.toggle("open", !!open);
        }
      }
      const shown = document.querySelector("#shown");
      shown.textContent = `${count} of ${rows.length} ${shown.dataset.what}`;
    };
    // The filter is in the address, so that a link shows the same: #?search=mget&status=broken,known
    const remember = () => {
      const filter = new URLSearchParams();
      if (search.value.trim()) filter.set("search", search.value.trim());
      if (pressed().length) filter.set("status", pressed().join(","));
      const text = filter.toString();
      history.replaceState(null, "", text ? `#?${text}` : "#");
    };
    const recall = () => {
      if (!location.hash.startsWith("#?")) return;
      const filter = new URLSearchParams(location.hash.slice(2));
      search.value = filter.get("search") || "";
      const wanted = (filter.get("status") || "").split(",");
      for (const button of buttons) press(button, wanted.includes(button.dataset.status));
    };
    search.addEventListener("input", () => { show(); remember(); });
    for (const button of buttons) {
      button.addEventListener("click", () => {
        press(button, button.getAttribute("aria-pressed") !== "true");
        show();
        remember();
      });
    }
    for (const { fold } of groups) {
      if (!fold) continue;
      fold.addEventListener("click", () => {
        fold.setAttribute("aria-expanded", fold.getAttribute("aria-expanded") === "true" ? "false" : "true");
        show();
      });
    }
    addEventListener("hashchange", () => { recall(); show(); });
    recall();
    show();
  }
  const open = () => {
    const evidence = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (evidence && evidence.tagName === "DETAILS") { evidence.open = true; evidence.scrollIntoView(); }
  };
  addEventListener("hashchange", open);
  open();
})();
