#!/bin/sh
# Serves one page on $PORT. Process 1 of a container gets no default signal handlers, so SIGTERM is
# heeded here: the server ends, and the container with 0, at once and not after stopTimeout.
busybox=/bin/busybox
host=$($busybox hostname)

stop() {
    trap '' TERM INT
    kill "$server" 2>/dev/null
    wait "$server"
    echo "stopped as asked"
    exit 0
}
trap stop TERM INT

$busybox mkdir -p /www
$busybox cat >/www/index.html <<PAGE
<!doctype html>
<title>Moorage sample</title>
<h1>Hello from $host</h1>
<p>version $VERSION
PAGE

$busybox httpd -f -v -p "$PORT" -h /www &
server=$!
echo "version $VERSION serves port $PORT as $host"
wait "$server"
