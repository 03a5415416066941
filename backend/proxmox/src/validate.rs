//! What Proxmox's schema formats accept, checked before anything is sent.

/// One DNS label: letters, digits and inner hyphens, at most 63.
pub(crate) fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes[0] != b'-'
        && bytes[bytes.len() - 1] != b'-'
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// `dns-name`: labels joined by dots, at most 255.
pub(crate) fn is_dns_name(text: &str) -> bool {
    text.len() <= 255 && text.split('.').all(is_label)
}

/// `pve-tag`, in the lower case in which Proxmox stores it, so that what is sent is what is found again.
pub(crate) fn is_tag(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.bytes().next().is_some_and(allowed)
        && text.len() <= 124
        && text
            .bytes()
            .all(|byte| allowed(byte) || b"-+.".contains(&byte))
}

/// `pve-poolid`: up to three levels joined by slashes.
pub(crate) fn is_pool(text: &str) -> bool {
    let level = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    text.split('/').count() <= 3 && text.split('/').all(level)
}

/// An interface or bridge name as the `net[n]` schema has it, at most as long as Linux (15) or an SDN name can be.
pub(crate) fn is_interface(text: &str) -> bool {
    (1..=20).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// `pve-configid`: names of snapshots and configuration keys.
pub(crate) fn is_config_id(text: &str) -> bool {
    (2..=40).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphabetic()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// A key of a container's configuration, such as `onboot` or `net1`.
pub(crate) fn is_config_key(text: &str) -> bool {
    is_config_id(text)
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

/// `mac-addr`: a unicast MAC address with colons.
pub(crate) fn is_mac(text: &str) -> bool {
    let octets: Vec<&str> = text.split(':').collect();
    let octet =
        |octet: &&str| octet.len() == 2 && octet.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unicast = |octet: &str| u8::from_str_radix(octet, 16).is_ok_and(|first| first & 1 == 0);
    octets.len() == 6 && octets.iter().all(octet) && unicast(octets[0])
}

/// A volume of container templates: `storage:vztmpl/file`, as `ostemplate` takes it (a path is root's alone).
pub(crate) fn is_template_volume(text: &str) -> bool {
    let Some((storage, file)) = text.split_once(":vztmpl/") else {
        return false;
    };
    text.len() <= 255 && storage.parse::<crate::StorageName>().is_ok() && is_template_file(file)
}

/// The file name of a container template.
pub(crate) fn is_template_file(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._+-:~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_names() {
        for good in ["a", "web-1", "nextcloud.lan", "0x"] {
            assert!(is_dns_name(good), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a_b",
            "a..b",
            ".a",
            "a b",
            "ä",
            &"a".repeat(64),
        ] {
            assert!(!is_dns_name(bad), "{bad}");
        }
    }

    #[test]
    fn tags_and_pools() {
        assert!(is_tag("proximity") && is_tag("_x+1.2-3"));
        assert!(!is_tag("Proximity") && !is_tag("") && !is_tag("-a") && !is_tag("a;b"));
        assert!(is_pool("apps") && is_pool("a/b/c.d-e_f"));
        assert!(!is_pool("a/b/c/d") && !is_pool("") && !is_pool("a//b") && !is_pool("../a"));
    }

    #[test]
    fn macs_and_templates() {
        assert!(is_mac("BC:24:11:00:aa:0F"));
        assert!(
            !is_mac("BD:24:11:00:aa:0F")
                && !is_mac("BC-24-11-00-AA-0F")
                && !is_mac("BC:24:11:00:AA")
        );
        assert!(is_template_volume(
            "local:vztmpl/alpine-3.22-default_20250617_amd64.tar.xz"
        ));
        assert!(
            !is_template_volume("/etc/shadow")
                && !is_template_volume("local:iso/x.iso")
                && !is_template_volume("local:vztmpl/../x")
        );
    }
}
