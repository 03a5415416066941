# shellcheck shell=bash
# The lab's certificate authority and the certificate with which it stands in for public registries and mirrors.

LAB_PUBLIC_NAMES=(
    registry-1.docker.io auth.docker.io index.docker.io docker.io ghcr.io quay.io lscr.io codeberg.org gcr.io
    registry.gitlab.com dl-cdn.alpinelinux.org
)

# make_trust OUT: OUT/ca.crt, OUT/server.crt, OUT/server.key
make_trust() {
    local out=$1 name names=
    for name in "${LAB_PUBLIC_NAMES[@]}"; do names+="DNS:$name,"; done
    local keys=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    openssl req -x509 "${keys[@]}" -days 3650 -subj "/CN=Lab authority" -keyout "$out/ca.key" -out "$out/ca.crt" \
        -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign 2>/dev/null
    openssl req "${keys[@]}" -subj "/CN=lab" -keyout "$out/server.key" -out "$out/server.csr" 2>/dev/null
    openssl x509 -req -in "$out/server.csr" -CA "$out/ca.crt" -CAkey "$out/ca.key" -CAcreateserial -days 3650 \
        -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "${names%,}") -out "$out/server.crt" 2>/dev/null
    # Nobody can sign anything more in its name: what the guests trust ends with this one certificate.
    rm -f "$out/ca.key" "$out/server.csr" "$out/ca.srl"
}
