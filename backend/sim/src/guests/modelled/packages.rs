//! The part of Alpine's repositories that is simulated.

/// A package: repository, version, size in MiB, what it needs, and the programs that it brings.
pub(super) struct Package {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) community: bool,
    /// Mebibytes that it takes.
    pub(super) size: u64,
    needs: &'static [&'static str],
    pub(super) programs: &'static [&'static str],
}

const fn package(
    name: &'static str,
    version: &'static str,
    community: bool,
    size: u64,
    needs: &'static [&'static str],
    programs: &'static [&'static str],
) -> Package {
    Package {
        name,
        version,
        community,
        size,
        needs,
        programs,
    }
}

/// The part of the repositories that is simulated.
const PACKAGES: &[Package] = &[
    package("ca-certificates", "20250911-r0", false, 1, &[], &[]),
    package("libseccomp", "2.6.0-r0", false, 1, &[], &[]),
    package(
        "runc",
        "1.1.12-r3",
        true,
        9,
        &["libseccomp"],
        &["/usr/bin/runc"],
    ),
    package(
        "containerd",
        "1.7.17-r0",
        true,
        58,
        &["runc"],
        &["/usr/bin/containerd"],
    ),
    package("libmnl", "1.0.5-r2", false, 1, &[], &[]),
    package("libnftnl", "1.2.9-r0", false, 1, &["libmnl"], &[]),
    package("libxtables", "1.8.11-r1", false, 1, &[], &[]),
    package(
        "iptables",
        "1.8.11-r1",
        false,
        3,
        &["libnftnl", "libxtables"],
        &[],
    ),
    package("tini-static", "0.19.0-r3", true, 1, &[], &[]),
    package(
        "docker-engine",
        "26.1.5-r0",
        true,
        84,
        &["ca-certificates", "containerd", "iptables", "tini-static"],
        &["/usr/bin/dockerd"],
    ),
    package(
        "docker-cli",
        "26.1.5-r0",
        true,
        36,
        &["ca-certificates"],
        &["/usr/bin/docker"],
    ),
    package("docker-openrc", "26.1.5-r0", true, 1, &[], &[]),
    package(
        "docker",
        "26.1.5-r0",
        true,
        1,
        &["docker-engine", "docker-cli", "docker-openrc"],
        &[],
    ),
    package(
        "docker-cli-compose",
        "2.26.1-r0",
        true,
        58,
        &["docker-cli"],
        &["/usr/libexec/docker/cli-plugins/docker-compose"],
    ),
    package("curl", "8.14.1-r2", false, 2, &["ca-certificates"], &[]),
    package("git", "2.49.1-r0", false, 7, &[], &[]),
    package("tzdata", "2025b-r0", false, 1, &[], &[]),
];

/// What the template has from the start, as `apk info` lists it.
pub(super) const BASE: &[&str] = &[
    "alpine-base",
    "alpine-baselayout",
    "alpine-keys",
    "apk-tools",
    "busybox",
    "busybox-openrc",
    "ifupdown-ng",
    "libc-utils",
    "musl",
    "musl-utils",
    "openrc",
    "scanelf",
    "ssl_client",
    "zlib",
];

pub(super) fn find(name: &str) -> Option<&'static Package> {
    PACKAGES.iter().find(|package| package.name == name)
}

/// Adds a package and what it needs to the plan, needs first.
pub(super) fn collect(name: &str, have: &[String], plan: &mut Vec<&'static Package>) {
    let Some(package) = find(name) else { return };
    if have.iter().any(|other| other == name) || plan.iter().any(|other| other.name == name) {
        return;
    }
    for need in package.needs {
        collect(need, have, plan);
    }
    plan.push(package);
}
