// Begins the page: the document to show is named by the page itself, so that no script stands inside it.
const page = document.getElementById("swagger");
SwaggerUIBundle({ url: page.dataset.url, domNode: page, deepLinking: true, validatorUrl: null });
