# shellcheck shell=bash
# What is fetched and built once and kept between runs: package lists, packages, the guest and the images.
# Each result lies in a folder named by a hash of its recipe, so that a changed recipe makes a new one.

CACHE=${PROXIMITY_LAB_CACHE:-${XDG_CACHE_HOME:-/var/cache}/proximity-lab}

# Sets GUEST (template, mirror, trust) and IMAGES (registry), building what is not there.
fill_cache() {
    mkdir -p "$CACHE"
    # Two labs may come up at once; the second finds what the first has built.
    exec 7>"$CACHE/lock"
    flock 7
    [[ -s $CACHE/apt/etc/apt/sources.list ]] || debs_update
    GUEST=$CACHE/guest-$(recipe_hash "$HERE/guest" "$HERE/parts/debs.sh")
    IMAGES=$CACHE/images-$(recipe_hash "$HERE/images" "$HERE/parts/debs.sh")
    built "$GUEST" 'the guest' build_all_of_guest
    built "$IMAGES" 'the images' build_images
    exec 7>&-
}

build_all_of_guest() {
    make_trust "$1"
    build_guest "$1"
    build_mirror "$1"
}

# built FOLDER WHAT FUNCTION: calls the function with a folder that takes its place only when it is whole
built() {
    [[ ! -d $1 ]] || return 0
    say "building $2"
    rm -rf "$1.new"
    mkdir -p "$1.new"
    # In a shell of its own: the builders set traps and variables.
    ("$3" "$1.new") || die "could not build $2"
    mv "$1.new" "$1"
}

recipe_hash() {
    find "$@" -type f -print0 | sort -z | xargs -0 sh -c 'for file; do stat -c %a "$file"; cat "$file"; done' sh |
        cat - <(printf '%s' "$DEBS_RELEASE") | sha256sum | cut -c1-12
}
