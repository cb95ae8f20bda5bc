/* /metrics, /healthz, /readyz and what people ask of a connector under /connectors. */
#include "applier.h"

#include "walferry/json.h"

static void serve_metrics(void *data, struct http_reply *reply)
{
    struct applier *applier = data;
    applier_measure(applier);
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(&applier->metrics, &reply->body);
}

static void serve_health(void *data, struct http_reply *reply)
{
    (void)data;
    buf_append_text(&reply->body, "ok\n");
}

static void serve_readiness(void *data, struct http_reply *reply)
{
    bool ready = false;
    const char *reason = applier_readiness(data, &ready);
    reply->status = ready ? 200 : 503;
    buf_append_text(&reply->body, reason);
    buf_append_char(&reply->body, '\n');
}

static void serve_connectors(void *data, struct http_reply *reply)
{
    const struct applier *applier = data;
    reply->content_type = "application/json";
    buf_append_char(&reply->body, '[');
    json_append_string(&reply->body, slice_of(applier->config->name));
    buf_append_text(&reply->body, "]\n");
}

bool endpoints_start(struct applier *applier, struct err *err)
{
    static const struct http_route routes[] = {
        {"GET", "/metrics", serve_metrics},
        {"GET", "/healthz", serve_health},
        {"GET", "/readyz", serve_readiness},
        {"GET", "/connectors", serve_connectors},
        {NULL, NULL, NULL},
    };
    const char *listeners = applier->config->listeners;
    return http_start(&applier->loop.uv, listeners != NULL ? listeners : "", routes, applier, &applier->http,
                      err);
}
