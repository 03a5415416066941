//! Named forms of text. Each error says what the text does not look like, in Proxmox's words.

use std::net::{Ipv4Addr, Ipv6Addr};

type Checked = Result<(), String>;

fn looks(ok: bool, what: &str) -> Checked {
    if ok {
        Ok(())
    } else {
        Err(format!("value does not look like a valid {what}"))
    }
}

fn is_word(text: &str, inner: fn(char) -> bool) -> bool {
    let ends = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    ends(text.chars().next())
        && ends(text.chars().next_back())
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || inner(letter))
}

/// `pve-node`.
pub(crate) fn node(text: &str) -> Checked {
    looks(is_word(text, |letter| letter == '-'), "node name")
}

/// `dns-name`.
pub(crate) fn dns_name(text: &str) -> Checked {
    let ok = !text.is_empty() && text.split('.').all(|label| is_word(label, |l| l == '-'));
    looks(ok, "DNS name")
}

/// `dns-name-list`.
pub(crate) fn dns_name_list(text: &str) -> Checked {
    items(text).try_for_each(dns_name)
}

/// `pve-storage-id`.
pub(crate) fn storage(text: &str) -> Checked {
    let first = text.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let last = text.ends_with(|letter: char| letter.is_ascii_alphanumeric());
    let rest = text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    if first && last && rest && text.len() > 1 {
        Ok(())
    } else {
        Err(format!("storage ID '{text}' contains illegal characters"))
    }
}

/// `pve-poolid`: up to three levels.
pub(crate) fn pool(text: &str) -> Checked {
    let level = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
    };
    let ok = text.split('/').count() <= 3 && text.split('/').all(level);
    looks(ok, "pool name")
}

/// `pve-tag-list`.
pub(crate) fn tags(text: &str) -> Checked {
    let tag = |tag: &str| {
        let first = tag.starts_with(|l: char| l.is_ascii_alphanumeric() || l == '_');
        first
            && tag
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "_-+.".contains(letter))
    };
    if items(text).all(tag) {
        Ok(())
    } else {
        Err("invalid characters in tag".to_owned())
    }
}

/// `ipv4`.
pub(crate) fn ipv4(text: &str) -> Checked {
    looks(text.parse::<Ipv4Addr>().is_ok(), "IPv4 address")
}

/// `ipv6`.
pub(crate) fn ipv6(text: &str) -> Checked {
    looks(text.parse::<Ipv6Addr>().is_ok(), "IPv6 address")
}

/// `pve-ipv4-config`.
pub(crate) fn ipv4_config(text: &str) -> Checked {
    let cidr = text.split_once('/').is_some_and(|(address, prefix)| {
        address.parse::<Ipv4Addr>().is_ok() && prefix.parse::<u8>().is_ok_and(|p| p <= 32)
    });
    looks(
        cidr || ["dhcp", "manual"].contains(&text),
        "ipv4 network configuration",
    )
}

/// `pve-ipv6-config`.
pub(crate) fn ipv6_config(text: &str) -> Checked {
    let cidr = text.split_once('/').is_some_and(|(address, prefix)| {
        address.parse::<Ipv6Addr>().is_ok() && prefix.parse::<u8>().is_ok_and(|p| p <= 128)
    });
    looks(
        cidr || ["auto", "dhcp", "manual"].contains(&text),
        "ipv6 network configuration",
    )
}

/// A list of name servers, or `host`.
pub(crate) fn nameservers(text: &str) -> Checked {
    items(text).try_for_each(|item| {
        let plain = item.split('%').next().unwrap_or(item);
        looks(plain.parse::<std::net::IpAddr>().is_ok(), "IP address")
    })
}

/// `mac-addr`: no group address.
pub(crate) fn mac(text: &str) -> Checked {
    let parts: Vec<_> = text.split(':').collect();
    let pairs = parts
        .iter()
        .all(|part| part.len() == 2 && u8::from_str_radix(part, 16).is_ok());
    let single = parts
        .first()
        .and_then(|first| u8::from_str_radix(first, 16).ok())
        .is_some_and(|first| first & 1 == 0);
    looks(parts.len() == 6 && pairs && single, "unicast MAC address")
}

/// `pve-startup-order`.
pub(crate) fn startup(text: &str) -> Checked {
    let part = |part: &str| {
        let number = ["order=", "up=", "down="]
            .iter()
            .find_map(|key| part.strip_prefix(key))
            .unwrap_or(part);
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    if text.split(',').all(part) {
        Ok(())
    } else {
        Err(format!("unable to parse startup options '{text}'"))
    }
}

/// `disk-size`.
pub(crate) fn disk_size(text: &str) -> Checked {
    let digits = text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(text);
    looks(digits.parse::<f64>().is_ok(), "disk size")
}

/// A path in a container, `pve-lxc-mp-string`; a volume is one too.
pub(crate) fn mount(text: &str) -> Checked {
    looks(
        !text.is_empty() && !text.contains("/../"),
        "mountpoint string",
    )
}

/// An interface or bridge name.
pub(crate) fn interface(text: &str) -> Checked {
    let ok = !text.is_empty()
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    pattern(ok)
}

/// Mount options of a root file system or mount point.
pub(crate) fn mount_options(text: &str) -> Checked {
    let known = [
        "discard", "lazytime", "noatime", "nodev", "noexec", "nosuid",
    ];
    pattern(text.split(';').all(|option| known.contains(&option)))
}

/// Numbers with `;` between them.
pub(crate) fn numbers(text: &str) -> Checked {
    pattern(text.split(';').all(|number| number.parse::<u16>().is_ok()))
}

/// File systems of the feature `mount`.
pub(crate) fn file_systems(text: &str) -> Checked {
    pattern(
        !text.is_empty()
            && text
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "_; ".contains(letter)),
    )
}

/// Text without control characters.
pub(crate) fn printable(text: &str) -> Checked {
    pattern(
        !text.is_empty()
            && !text
                .chars()
                .any(|letter| letter != '\t' && letter.is_control()),
    )
}

/// `K=V` with NUL between them.
pub(crate) fn environment(text: &str) -> Checked {
    let variable = |variable: &str| {
        variable.split_once('=').is_some_and(|(name, value)| {
            !name.is_empty()
                && name.chars().all(|l| l.is_ascii_alphanumeric() || l == '_')
                && !value.chars().any(|l| l != '\t' && l.is_control())
        })
    };
    pattern(text.split('\0').all(variable))
}

/// `0` and three octal digits.
pub(crate) fn file_mode(text: &str) -> Checked {
    pattern(text.len() == 4 && text.starts_with('0') && u16::from_str_radix(text, 8).is_ok())
}

/// `pve-volume-id`.
pub(crate) fn volume(text: &str) -> Checked {
    let ok = text
        .split_once(':')
        .is_some_and(|(id, name)| storage(id).is_ok() && !name.is_empty());
    looks(ok, "volume ID")
}

/// A list of option names.
pub(crate) fn option_names(text: &str) -> Checked {
    let name = |name: &str| {
        name.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
    };
    looks(items(text).all(name), "configuration ID")
}

/// A list of kinds of content.
pub(crate) fn content(text: &str) -> Checked {
    let known = [
        "images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none",
    ];
    match items(text).find(|item| !known.contains(item)) {
        Some(item) => Err(format!("invalid content type '{item}'")),
        None => Ok(()),
    }
}

/// The items of a Proxmox list: separated by comma, semicolon, blank or NUL.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' ', '\t', '\n', '\0'])
        .filter(|item| !item.is_empty())
}

fn pattern(ok: bool) -> Checked {
    if ok {
        Ok(())
    } else {
        Err("value does not match the regex pattern".to_owned())
    }
}
