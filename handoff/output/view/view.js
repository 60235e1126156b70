// Filter a list by its address: the policy of the page forbids to submit a form.
(() => {
  "use strict";
  const form = document.getElementById("filter");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const filled = [...new FormData(form)].filter(([, value]) => value !== "");
    location.assign(`/handoffs?${new URLSearchParams(filled)}`);
  });
  document.documentElement.dataset.ready = "true";
})();
