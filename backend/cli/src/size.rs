//! Sizes: bytes on the wire, `512MiB` for people.

/// Names of the powers of 1024 (IEC 80000-13), largest first.
const UNITS: [(&str, u64); 4] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];

/// Bytes of `512MiB`, `2GiB`, `1.5G` or `1048576`. One letter means a power of 1024, as everywhere in Proxmox;
/// `GB` is refused, since half of those who write it mean the other thing.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let split = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let bytes_per_unit = factor(unit.trim_start())?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let malformed = || format!("`{text}` is not a size such as 512MiB or 2GiB");
    let whole: u64 = whole.parse().map_err(|_| malformed())?;
    if number.ends_with('.') || part.len() > 6 || part.contains('.') {
        return Err(malformed());
    }
    let too_large = || format!("`{text}` is larger than any disk");
    let bytes = whole.checked_mul(bytes_per_unit).ok_or_else(too_large)?;
    let fraction = if part.is_empty() {
        0
    } else {
        part.parse::<u64>().map_err(|_| malformed())?
    };
    let digits = u32::try_from(part.len()).unwrap_or_default();
    let fraction =
        u128::from(fraction) * u128::from(bytes_per_unit) / u128::from(10_u64.pow(digits));
    let fraction = u64::try_from(fraction).map_err(|_| too_large())?;
    bytes
        .checked_add(fraction)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(malformed)
}

fn factor(unit: &str) -> Result<u64, String> {
    let upper = unit.to_ascii_uppercase();
    if upper.is_empty() || upper == "B" {
        return Ok(1);
    }
    for (name, bytes) in UNITS {
        if upper == name.to_ascii_uppercase() || upper == name[..1] {
            return Ok(bytes);
        }
        if upper == [&name[..1], "B"].concat() {
            return Err(format!("write {name} rather than `{unit}`"));
        }
    }
    Err(format!(
        "`{unit}` is no unit; there are KiB, MiB, GiB and TiB"
    ))
}

/// `512 MiB`, `1.5 GiB`: the largest unit that leaves something before the point, to a tenth.
pub(crate) fn told(bytes: u64) -> String {
    for (name, size) in UNITS {
        if bytes >= size {
            let tenths = u128::from(bytes) * 10 / u128::from(size);
            return match tenths % 10 {
                0 => format!("{} {name}", tenths / 10),
                part => format!("{}.{part} {name}", tenths / 10),
            };
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in [
            ("512MiB", 512 << 20),
            ("2GiB", 2 << 30),
            ("2g", 2 << 30),
            ("1.5 GiB", 3 << 29),
            ("0.5K", 512),
            ("1048576", 1 << 20),
            ("10B", 10),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_not_clearly_a_size_is_refused() {
        for text in [
            "",
            "GiB",
            "2GB",
            "-1G",
            "1..5G",
            "1.G",
            "2 apples",
            "0",
            "99999999999999999999",
            "99999999TiB",
            "1.2.3M",
            "²G",
        ] {
            assert!(parse(text).is_err(), "{text} passed");
        }
        assert_eq!(parse("2GB").unwrap_err(), "write GiB rather than `GB`");
    }

    #[test]
    fn sizes_are_told_to_a_tenth() {
        assert_eq!(told(0), "0 B");
        assert_eq!(told(512 << 20), "512 MiB");
        assert_eq!(told(3 << 29), "1.5 GiB");
        assert_eq!(told(u64::MAX), "16777215.9 TiB");
    }
}
