# shellcheck shell=bash
# Images without a builder: a folder of files becomes an OCI image of one layer and goes into the registry.

# push_image ROOT NAME:TAG JSON-OF-CONFIG ("config" of an OCI image: Cmd, Env, ExposedPorts, …)
push_image() {
    local root=$1 name=$2 config=$3 oci layer diff_id
    oci=$(mktemp -d)
    mkdir -p "$oci/blobs/sha256"
    tar -c -C "$root" --numeric-owner --sort=name --mtime=@0 . >"$oci/layer"
    diff_id=$(digest "$oci/layer")
    gzip -n -1 "$oci/layer"
    layer=$(blob "$oci/layer.gz" tar+gzip)
    printf '{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$config" "$diff_id" >"$oci/config"
    config=$(blob "$oci/config" config)
    printf '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":%s,"layers":[%s]}' \
        "$config" "$layer" >"$oci/manifest"
    local manifest
    manifest=$(blob "$oci/manifest" manifest)
    printf '{"schemaVersion":2,"manifests":[%s]}' "$manifest" >"$oci/index.json"
    printf '{"imageLayoutVersion":"1.0.0"}' >"$oci/oci-layout"
    skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$oci" "docker://$PUSH_TO/$name"
    rm -rf "$oci"
}

digest() { sha256sum "$1" | cut -d' ' -f1; }

# Moves a file among the blobs and prints its descriptor.
blob() {
    local file=$1 kind=$2 sum size type
    sum=$(digest "$file")
    size=$(stat -c %s "$file")
    case $kind in
        tar+gzip) type=application/vnd.docker.image.rootfs.diff.tar.gzip ;;
        config) type=application/vnd.docker.container.image.v1+json ;;
        manifest) type=application/vnd.docker.distribution.manifest.v2+json ;;
    esac
    mv "$file" "$oci/blobs/sha256/$sum"
    printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}' "$type" "$sum" "$size"
}
