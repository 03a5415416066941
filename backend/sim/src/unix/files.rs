//! A file system in memory: inodes with kind, mode, owner and time, and a limit on its size.
//!
//! Paths given to this module are absolute. Everybody is root here, so modes are kept and shown but only the
//! execute bits decide anything (in [`crate::unix::execute`]).

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use super::path::split;
pub(crate) use super::path::{join, parent, tidy};

/// Why a call on the file system failed; displays as `strerror` of musl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errno {
    NotFound,
    Exists,
    IsDirectory,
    NotDirectory,
    NotEmpty,
    NoSpace,
    Loop,
    Invalid,
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotFound => "No such file or directory",
            Self::Exists => "File exists",
            Self::IsDirectory => "Is a directory",
            Self::NotDirectory => "Not a directory",
            Self::NotEmpty => "Directory not empty",
            Self::NoSpace => "No space left on device",
            Self::Loop => "Symbolic link loop",
            Self::Invalid => "Invalid argument",
        })
    }
}

type Result<T> = std::result::Result<T, Errno>;

/// What an inode is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    File(Vec<u8>),
    Directory(BTreeMap<String, u64>),
    Link(String),
    /// A character device, known by its name in `/dev`.
    Device(&'static str),
}

/// An inode.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) modified: SystemTime,
}

impl Node {
    fn new(kind: Kind, mode: u32) -> Self {
        Self {
            kind,
            mode,
            uid: 0,
            gid: 0,
            modified: SystemTime::now(),
        }
    }

    pub(crate) fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Directory(_))
    }

    /// Size as `stat` tells it.
    pub(crate) fn size(&self) -> u64 {
        match &self.kind {
            Kind::File(bytes) => bytes.len() as u64,
            Kind::Directory(_) => 4096,
            Kind::Link(target) => target.len() as u64,
            Kind::Device(_) => 0,
        }
    }
}

const ROOT: u64 = 1;
const LINKS_FOLLOWED: u32 = 40;

/// A whole file system.
#[derive(Debug)]
pub(crate) struct Files {
    nodes: HashMap<u64, Node>,
    next: u64,
    limit: u64,
    /// Bytes that are on this disk without being modelled as files (packages, layers of images).
    elsewhere: u64,
    /// Bytes in regular files.
    contents: u64,
}

impl Files {
    /// An empty file system that holds `limit` bytes.
    pub(crate) fn new(limit: u64) -> Self {
        let root = Node::new(Kind::Directory(BTreeMap::new()), 0o755);
        Self {
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT + 1,
            limit,
            elsewhere: 0,
            contents: 0,
        }
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> u64 {
        self.elsewhere + self.contents
    }

    /// Bytes that fit on it.
    pub(crate) const fn limit(&self) -> u64 {
        self.limit
    }

    pub(crate) fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Takes space for something that is not modelled as files.
    pub(crate) fn reserve(&mut self, bytes: u64) -> Result<()> {
        if self.used() + bytes > self.limit {
            return Err(Errno::NoSpace);
        }
        self.elsewhere += bytes;
        Ok(())
    }

    pub(crate) fn release(&mut self, bytes: u64) {
        self.elsewhere = self.elsewhere.saturating_sub(bytes);
    }

    pub(crate) fn node(&self, ino: u64) -> Option<&Node> {
        self.nodes.get(&ino)
    }

    /// The inode at a path, links followed.
    pub(crate) fn lookup(&self, path: &str) -> Result<u64> {
        self.walk(path, true, &mut 0)
    }

    /// The inode at a path; a link at its end is itself.
    pub(crate) fn lookup_link(&self, path: &str) -> Result<u64> {
        self.walk(path, false, &mut 0)
    }

    pub(crate) fn stat(&self, path: &str) -> Result<&Node> {
        self.lookup(path).map(|ino| &self.nodes[&ino])
    }

    pub(crate) fn stat_link(&self, path: &str) -> Result<&Node> {
        self.lookup_link(path).map(|ino| &self.nodes[&ino])
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.lookup(path).is_ok()
    }

    fn walk(&self, path: &str, follow: bool, links: &mut u32) -> Result<u64> {
        let mut trail = vec![ROOT];
        let mut parts: Vec<String> = split(path).rev().map(str::to_owned).collect();
        while let Some(part) = parts.pop() {
            let here = trail.last().copied().unwrap_or(ROOT);
            if part == ".." {
                if trail.len() > 1 {
                    trail.pop();
                }
                continue;
            }
            let Kind::Directory(entries) = &self.nodes[&here].kind else {
                return Err(Errno::NotDirectory);
            };
            let ino = *entries.get(&part).ok_or(Errno::NotFound)?;
            match &self.nodes[&ino].kind {
                Kind::Link(target) if follow || !parts.is_empty() => {
                    *links += 1;
                    if *links > LINKS_FOLLOWED {
                        return Err(Errno::Loop);
                    }
                    if target.starts_with('/') {
                        trail.truncate(1);
                    }
                    parts.extend(split(target).rev().map(str::to_owned));
                }
                _ => trail.push(ino),
            }
        }
        let ino = trail.last().copied().unwrap_or(ROOT);
        if path.ends_with('/') && !self.nodes[&ino].is_dir() {
            return Err(Errno::NotDirectory);
        }
        Ok(ino)
    }

    /// The folder that holds the last part of a path, and that part.
    fn place(&self, path: &str) -> Result<(u64, String)> {
        let trimmed = path.trim_end_matches('/');
        let (folder, name) = trimmed.rsplit_once('/').unwrap_or(("", trimmed));
        if name.is_empty() || name == "." || name == ".." {
            return Err(Errno::Invalid);
        }
        let ino = self.lookup(if folder.is_empty() { "/" } else { folder })?;
        if !self.nodes[&ino].is_dir() {
            return Err(Errno::NotDirectory);
        }
        Ok((ino, name.to_owned()))
    }

    fn entries(&mut self, ino: u64) -> Result<&mut BTreeMap<String, u64>> {
        let node = self.nodes.get_mut(&ino).ok_or(Errno::NotFound)?;
        node.modified = SystemTime::now();
        match &mut node.kind {
            Kind::Directory(entries) => Ok(entries),
            _ => Err(Errno::NotDirectory),
        }
    }

    fn add(&mut self, path: &str, kind: Kind, mode: u32) -> Result<u64> {
        let (folder, name) = self.place(path)?;
        if self.entries(folder)?.contains_key(&name) {
            return Err(Errno::Exists);
        }
        let ino = self.next;
        self.next += 1;
        self.nodes.insert(ino, Node::new(kind, mode));
        self.entries(folder)?.insert(name, ino);
        Ok(ino)
    }

    /// Opens a regular file for writing, made when absent; links are followed.
    pub(crate) fn open_for_writing(
        &mut self,
        path: &str,
        mode: u32,
        truncate: bool,
    ) -> Result<u64> {
        match self.lookup(path) {
            Ok(ino) => {
                let node = self.nodes.get_mut(&ino).ok_or(Errno::NotFound)?;
                match &mut node.kind {
                    Kind::Directory(_) => return Err(Errno::IsDirectory),
                    Kind::File(bytes) if truncate => {
                        self.contents -= bytes.len() as u64;
                        bytes.clear();
                        node.modified = SystemTime::now();
                    }
                    _ => {}
                }
                Ok(ino)
            }
            Err(Errno::NotFound) => {
                // A dangling link makes its target.
                if let Ok(Kind::Link(target)) = self.stat_link(path).map(|node| node.kind.clone()) {
                    let target = join(parent(path), &target);
                    return self.open_for_writing(&target, mode, truncate);
                }
                if path.ends_with('/') {
                    return Err(Errno::IsDirectory);
                }
                self.add(path, Kind::File(Vec::new()), mode)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes into an open file; a hole before `offset` is filled with zeroes.
    pub(crate) fn write_at(&mut self, ino: u64, offset: usize, data: &[u8]) -> Result<()> {
        let used = self.used();
        let limit = self.limit;
        let node = self.nodes.get_mut(&ino).ok_or(Errno::NotFound)?;
        let Kind::File(bytes) = &mut node.kind else {
            return Err(Errno::Invalid);
        };
        let end = offset + data.len();
        let growth = end.saturating_sub(bytes.len()) as u64;
        if growth > 0 && used + growth > limit {
            return Err(Errno::NoSpace);
        }
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[offset..end].copy_from_slice(data);
        self.contents += growth;
        node.modified = SystemTime::now();
        Ok(())
    }

    pub(crate) fn read_ino(&self, ino: u64) -> Result<&[u8]> {
        match self.nodes.get(&ino).map(|node| &node.kind) {
            Some(Kind::File(bytes)) => Ok(bytes),
            Some(Kind::Directory(_)) => Err(Errno::IsDirectory),
            Some(_) => Ok(&[]),
            None => Err(Errno::NotFound),
        }
    }

    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>> {
        self.read_ino(self.lookup(path)?).map(<[u8]>::to_vec)
    }

    /// A file as text, bytes that are not UTF-8 replaced; `None` when it cannot be read.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.read(path)
            .ok()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Puts a whole file in place, folders above it made; how images and packages bring their files.
    pub(crate) fn put(&mut self, path: &str, bytes: impl Into<Vec<u8>>, mode: u32) -> Result<()> {
        self.mkdir_all(parent(path), 0o755)?;
        let bytes = bytes.into();
        let ino = self.open_for_writing(path, mode, true)?;
        self.write_at(ino, 0, &bytes)?;
        if let Some(node) = self.nodes.get_mut(&ino) {
            node.mode = mode;
        }
        Ok(())
    }

    pub(crate) fn device(&mut self, path: &str, name: &'static str) -> Result<()> {
        self.mkdir_all(parent(path), 0o755)?;
        self.add(path, Kind::Device(name), 0o666).map(drop)
    }

    pub(crate) fn mkdir(&mut self, path: &str, mode: u32) -> Result<()> {
        let folder = Kind::Directory(BTreeMap::new());
        self.add(path.trim_end_matches('/'), folder, mode).map(drop)
    }

    pub(crate) fn mkdir_all(&mut self, path: &str, mode: u32) -> Result<()> {
        let mut so_far = String::new();
        for part in split(path) {
            so_far.push('/');
            so_far.push_str(part);
            match self.stat(&so_far).map(Node::is_dir) {
                Ok(true) => {}
                Ok(false) => return Err(Errno::NotDirectory),
                Err(Errno::NotFound) => self.mkdir(&so_far, mode)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn symlink(&mut self, target: &str, path: &str) -> Result<()> {
        self.add(path, Kind::Link(target.to_owned()), 0o777)
            .map(drop)
    }

    /// Names in a folder, sorted.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<String>> {
        match &self.stat(path)?.kind {
            Kind::Directory(entries) => Ok(entries.keys().cloned().collect()),
            _ => Err(Errno::NotDirectory),
        }
    }

    /// `unlink`, or `rmdir` of an empty folder.
    pub(crate) fn remove(&mut self, path: &str) -> Result<()> {
        let (folder, name) = self.place(path)?;
        let ino = *self.entries(folder)?.get(&name).ok_or(Errno::NotFound)?;
        if let Kind::Directory(entries) = &self.nodes[&ino].kind
            && !entries.is_empty()
        {
            return Err(Errno::NotEmpty);
        }
        self.entries(folder)?.remove(&name);
        if let Some(Kind::File(bytes)) = self.nodes.remove(&ino).map(|node| node.kind) {
            self.contents -= bytes.len() as u64;
        }
        Ok(())
    }

    pub(crate) fn remove_all(&mut self, path: &str) -> Result<()> {
        if self.stat_link(path)?.is_dir() {
            for name in self.list(path)? {
                self.remove_all(&join(path, &name))?;
            }
        }
        self.remove(path)
    }

    /// `rename(2)`: replaces a file, or an empty folder.
    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let (old_folder, old_name) = self.place(from)?;
        let (folder, name) = self.place(to)?;
        let ino = *self
            .entries(old_folder)?
            .get(&old_name)
            .ok_or(Errno::NotFound)?;
        if let Some(&existing) = self.entries(folder)?.get(&name) {
            if existing == ino {
                return Ok(());
            }
            match (self.nodes[&ino].is_dir(), self.nodes[&existing].is_dir()) {
                (true, false) => return Err(Errno::NotDirectory),
                (false, true) => return Err(Errno::IsDirectory),
                _ => self.remove(to)?,
            }
        }
        self.entries(old_folder)?.remove(&old_name);
        self.entries(folder)?.insert(name, ino);
        Ok(())
    }

    /// Changes an inode's mode, owner or time.
    pub(crate) fn change(&mut self, path: &str, change: impl FnOnce(&mut Node)) -> Result<()> {
        let ino = self.lookup(path)?;
        change(self.nodes.get_mut(&ino).ok_or(Errno::NotFound)?);
        Ok(())
    }
}

/// Whether an inode is a folder; for use as a predicate.
pub(crate) fn is_folder(node: &Node) -> bool {
    node.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_renames_and_limits() {
        let mut files = Files::new(100_000);
        files.put("/a/b/file", "hello", 0o600).unwrap();
        files.symlink("b/file", "/a/link").unwrap();
        assert_eq!(files.read("/a/link").unwrap(), b"hello");
        assert_eq!(files.read("/a/b/../link").unwrap(), b"hello");
        files.rename("/a/b/file", "/a/moved").unwrap();
        assert_eq!(files.read("/a/link"), Err(Errno::NotFound));
        assert_eq!(files.stat("/a/moved").unwrap().mode, 0o600);
        files.symlink("loop", "/loop").unwrap();
        assert_eq!(files.read("/loop"), Err(Errno::Loop));
        assert_eq!(files.remove("/a"), Err(Errno::NotEmpty));
        assert_eq!(
            files.put("/big", vec![0; 100_000], 0o644),
            Err(Errno::NoSpace)
        );
        files.remove_all("/a").unwrap();
        assert!(!files.exists("/a"));
    }
}
