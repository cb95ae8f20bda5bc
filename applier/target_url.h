/* target_url: connection.url as libpq takes it.
 *
 * A JDBC URL has parameters that libpq does not know; the ones that mean something are translated, the others
 * are dropped with a warning. libpq's own forms pass as they are.
 */
#ifndef APPLIER_TARGET_URL_H
#define APPLIER_TARGET_URL_H

#include "walferry/err.h"

/* *uri is for the caller to free. Errors never quote the URL: it may hold a password. */
MUST_CHECK bool target_url_read(const char *url, char **uri, struct err *err);

#endif
