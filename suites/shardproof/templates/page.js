// Filters of the matrix, and evidence that opens when its link is followed.
(() => {
  const rows = [...document.querySelectorAll("tr[data-case]")];
  const search = document.querySelector("#search");
  const buttons = [...document.querySelectorAll("button[data-status]")];
  if (search) {
    const show = () => {
      const words = search.value.trim().toLowerCase();
      const wanted = buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.status);
      let count = 0;
      for (const row of rows) {
        const found = row.textContent.toLowerCase().includes(words);
        const stands = wanted.length === 0 || wanted.some((w) => row.dataset.statuses.split(" ").includes(w));
        row.hidden = !(found && stands);
        count += row.hidden ? 0 : 1;
      }
      for (const group of document.querySelectorAll("tr.group")) {
        let next = group.nextElementSibling, any = false;
        while (next && !next.classList.contains("group")) { any = any || !next.hidden; next = next.nextElementSibling; }
        group.hidden = !any;
      }
      const shown = document.querySelector("#shown");
      shown.textContent = `${count} of ${rows.length} ${shown.dataset.what}`;
    };
    search.addEventListener("input", show);
    for (const button of buttons) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
        show();
      });
    }
    show();
  }
  const open = () => {
    const evidence = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (evidence && evidence.tagName === "DETAILS") { evidence.open = true; evidence.scrollIntoView(); }
  };
  addEventListener("hashchange", open);
  open();
})();
