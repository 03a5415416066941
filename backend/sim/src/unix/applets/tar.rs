//! The ustar format, as far as names of up to 100 bytes go.

use std::collections::BTreeMap;

use crate::unix::files::{Kind, Node};

const BLOCK: usize = 512;

/// A member of an archive.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) mode: u32,
    pub(crate) kind: Kind,
}

/// Appends a member.
pub(crate) fn append(archive: &mut Vec<u8>, name: &str, node: &Node) {
    let mut header = [0_u8; BLOCK];
    let empty = Vec::new();
    let (flag, link, data) = match &node.kind {
        Kind::File(bytes) => (b'0', "", bytes),
        Kind::Directory(_) => (b'5', "", &empty),
        Kind::Link(target) => (b'2', target.as_str(), &empty),
        Kind::Device(_) => (b'3', "", &empty),
    };
    let mut put = |at: usize, text: &str| {
        let bytes = text.as_bytes();
        header[at..at + bytes.len()].copy_from_slice(bytes);
    };
    put(0, &name[..name.len().min(99)]);
    put(100, &format!("{:07o}", node.mode));
    put(108, &format!("{:07o}", node.uid));
    put(116, &format!("{:07o}", node.gid));
    put(124, &format!("{:011o}", data.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(157, &link[..link.len().min(99)]);
    put(257, "ustar");
    put(263, "00");
    header[156] = flag;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    archive.extend_from_slice(&header);
    archive.extend_from_slice(data);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
}

/// Ends an archive.
pub(crate) fn finish(archive: &mut Vec<u8>) {
    archive.resize(archive.len() + 2 * BLOCK, 0);
}

/// Reads an archive.
pub(crate) fn read(archive: &[u8]) -> Result<Vec<Entry>, &'static str> {
    let mut entries = Vec::new();
    let mut rest = archive;
    while rest.len() >= BLOCK && rest[0] != 0 {
        let (header, after) = rest.split_at(BLOCK);
        if &header[257..262] != b"ustar" {
            return Err("invalid tar magic");
        }
        let text = |from: usize, to: usize| {
            let field = &header[from..to];
            let end = field
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(field.len());
            String::from_utf8_lossy(&field[..end]).trim().to_owned()
        };
        let number = |from, to| {
            u64::from_str_radix(&text(from, to), 8)
                .map_err(|_| "corrupted octal value in tar header")
        };
        let size = usize::try_from(number(124, 136)?).map_err(|_| "short read")?;
        if after.len() < size {
            return Err("short read");
        }
        let kind = match header[156] {
            b'5' => Kind::Directory(BTreeMap::new()),
            b'2' => Kind::Link(text(157, 257)),
            _ => Kind::File(after[..size].to_vec()),
        };
        entries.push(Entry {
            name: text(0, 100),
            mode: u32::try_from(number(100, 108)?).unwrap_or(0o644),
            kind,
        });
        rest = after
            .get(size.next_multiple_of(BLOCK)..)
            .unwrap_or_default();
    }
    if entries.is_empty() {
        return Err("short read");
    }
    Ok(entries)
}
