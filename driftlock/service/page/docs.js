"use strict";
// The API document laid out by Swagger UI, from files of this service alone.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });
