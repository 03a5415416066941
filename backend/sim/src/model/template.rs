//! Container templates: the index that Proxmox publishes and what is known of each file.

/// One row of the template index.
#[derive(Clone, Debug)]
pub(crate) struct TemplateOffer {
    pub(crate) template: String,
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) os: &'static str,
    pub(crate) section: &'static str,
    pub(crate) architecture: &'static str,
    pub(crate) headline: &'static str,
    pub(crate) sha512: String,
}

/// A template that lies on the first node and is of no use to anyone who wants Alpine.
pub(crate) const OTHER: &str = "debian-12-standard_12.12-1_amd64.tar.zst";

const ALPINE: &[(&str, &str)] = &[
    ("3.22", "20250617"),
    ("3.23", "20260116"),
    ("3.24", "20260714"),
];

/// File name of the newest Alpine in the index.
pub(crate) fn newest_alpine(arm: bool) -> &'static str {
    if arm {
        "alpine-3.24-default_20260714_arm64.tar.xz"
    } else {
        "alpine-3.24-default_20260714_amd64.tar.xz"
    }
}

/// The index; with the arm64 rows where a node needs them.
pub(crate) fn index(arm: bool) -> Vec<TemplateOffer> {
    let mut rows = Vec::new();
    let architectures: &[&'static str] = if arm { &["amd64", "arm64"] } else { &["amd64"] };
    for architecture in architectures {
        for (release, date) in ALPINE {
            rows.push(row(
                &format!("alpine-{release}-default"),
                date,
                "alpine",
                architecture,
                "tar.xz",
                "LXC default image for alpine",
            ));
        }
    }
    rows.push(row(
        "debian-12-standard",
        "12.12-1",
        "debian-12",
        "amd64",
        "tar.zst",
        "Debian 12 Bookworm (standard)",
    ));
    rows.push(row(
        "debian-13-standard",
        "13.1-2",
        "debian-13",
        "amd64",
        "tar.zst",
        "Debian 13 Trixie (standard)",
    ));
    rows.push(row(
        "archlinux-base",
        "20250913-1",
        "archlinux",
        "amd64",
        "tar.zst",
        "ArchLinux base image.",
    ));
    rows
}

fn row(
    package: &str,
    version: &str,
    os: &'static str,
    architecture: &'static str,
    ending: &str,
    headline: &'static str,
) -> TemplateOffer {
    let template = format!("{package}_{version}_{architecture}.{ending}");
    // Not the published sums: nothing is fetched, and the digest of the name is as unforgeable here.
    let sha512 = hex::encode(<sha2::Sha512 as sha2::Digest>::digest(template.as_bytes()));
    TemplateOffer {
        template,
        package: package.to_owned(),
        version: version.to_owned(),
        os,
        section: "system",
        architecture,
        headline,
        sha512,
    }
}

/// Size of a template file in bytes.
pub(crate) fn size(template: &str) -> u64 {
    if template.starts_with("alpine") {
        3_204_000 + template.len() as u64
    } else {
        126_000_000 + template.len() as u64
    }
}

/// The distribution that Proxmox detects in a template.
pub(crate) fn ostype(template: &str) -> &'static str {
    let known = [
        "alpine",
        "debian",
        "ubuntu",
        "fedora",
        "archlinux",
        "gentoo",
    ];
    known
        .into_iter()
        .find(|name| template.starts_with(name))
        .unwrap_or("unmanaged")
}

/// Processor architecture by the template's name, in Proxmox's words.
pub(crate) fn architecture(template: &str) -> &'static str {
    if template.contains("_arm64") {
        "arm64"
    } else {
        "amd64"
    }
}

/// How a template is packed, in the word of the content list.
pub(crate) fn format(template: &str) -> &'static str {
    match template.rsplit('.').next() {
        Some("xz") => "txz",
        Some("gz") => "tgz",
        Some("zst") => "tzst",
        _ => "tar",
    }
}
