# shellcheck shell=bash
# What the guests take for the internet: a mirror of packages and a registry of images, under the public names.

web_up() {
    start_registry
    start_nginx
}

# The registry's own port takes images from this machine (push); guests come in through nginx, by name and over TLS.
start_registry() {
    # A copy, so that tests may push; a new one when the recipe of the images has changed.
    if [[ $(cat "$LAB/registry/made-from" 2>/dev/null) != "$IMAGES" ]]; then
        rm -rf "$LAB/registry"
        cp -a "$IMAGES/registry" "$LAB/registry"
        echo "$IMAGES" >"$LAB/registry/made-from"
    fi
    cat >"$LAB/run/registry.yml" <<CONF
version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: $LAB/registry}
  delete: {enabled: true}
http: {addr: "$GATEWAY:$REGISTRY_PORT"}
CONF
    stop_daemon registry
    start_daemon registry docker-registry serve "$LAB/run/registry.yml"
    wait_for 10 curl -fs "http://$GATEWAY:$REGISTRY_PORT/v2/" || die "the registry does not run, see $LAB/log/registry.log"
}

start_nginx() {
    mkdir -p "$LAB/run/nginx"
    cat >"$LAB/run/nginx.conf" <<CONF
daemon off;
user root;
worker_processes 1;
pid $LAB/run/nginx/pid;
error_log $LAB/log/nginx.log warn;
events {}
http {
    access_log $LAB/log/access.log;
    client_body_temp_path $LAB/run/nginx/body;
    proxy_temp_path $LAB/run/nginx/proxy;
    fastcgi_temp_path $LAB/run/nginx/fastcgi;
    uwsgi_temp_path $LAB/run/nginx/uwsgi;
    scgi_temp_path $LAB/run/nginx/scgi;
    sendfile on;
    ssl_certificate $GUEST/server.crt;
    ssl_certificate_key $GUEST/server.key;
    server {
        listen $GATEWAY:80;
        listen $GATEWAY:443 ssl;
        server_name dl-cdn.alpinelinux.org;
        # Every release has the same packages here.
        location ~ ^/alpine/[^/]+/(main|community)/x86_64/([^/]+)\$ { alias $GUEST/mirror/\$1/x86_64/\$2; }
        location / { return 404; }
    }
    server {
        listen $GATEWAY:80 default_server;
        listen $GATEWAY:443 ssl default_server;
        server_name _;
        client_max_body_size 0;
        location / {
            proxy_pass http://$GATEWAY:$REGISTRY_PORT;
            proxy_set_header Host \$http_host;
            proxy_set_header X-Forwarded-Proto \$scheme;
            proxy_buffering off;
        }
    }
}
CONF
    stop_daemon nginx
    start_daemon nginx nginx -e "$LAB/log/nginx.log" -c "$LAB/run/nginx.conf"
    wait_for 5 listening tcp "$GATEWAY:443" || die "nginx does not run, see $LAB/log/nginx.log"
}

web_down() {
    stop_daemon nginx
    stop_daemon registry
    rm -rf "$LAB/registry"
}
