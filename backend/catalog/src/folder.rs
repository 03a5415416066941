//! The files below a folder: plain ones only, and not too many.

use std::{collections::BTreeMap, fs, io, path::Path};

use crate::{Error, Files};

/// Deepest folder, and most files, that are looked at.
const MAX_DEPTH: usize = 12;
const MAX_FILES: usize = 100_000;
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// What was found below a folder, by path relative to it.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    pub(crate) files: Files,
    /// What is there and must not or cannot be read, and why, in a sentence.
    pub(crate) refused: BTreeMap<String, String>,
}

/// Reads a folder. Hidden files are left out; symbolic links are refused, because they may lead anywhere.
pub(crate) fn read(root: &Path) -> Result<Folder, Error> {
    let unreadable = |source| Error::Unreadable {
        path: root.to_owned(),
        source,
    };
    if !fs::metadata(root).map_err(unreadable)?.is_dir() {
        let source = io::Error::new(io::ErrorKind::NotADirectory, "it is no folder");
        return Err(unreadable(source));
    }
    let mut folder = Folder::default();
    let mut open = vec![(String::new(), 0)];
    while let Some((path, depth)) = open.pop() {
        let entries = match fs::read_dir(root.join(&path)) {
            Ok(entries) => entries,
            Err(source) if path.is_empty() => return Err(unreadable(source)),
            Err(source) => {
                folder.refuse(path, format!("This folder cannot be read: {source}."));
                continue;
            }
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}/{name}")
            };
            match entry.file_type() {
                _ if name.starts_with('.') => {}
                Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => open.push((below, depth + 1)),
                Ok(kind) if kind.is_file() => folder.file(root, below),
                Ok(kind) if kind.is_symlink() => {
                    folder.refuse(
                        below,
                        "This is a symbolic link, and those are not followed.".to_owned(),
                    );
                }
                _ => folder.refuse(
                    below,
                    "This is neither a file nor a folder that is read.".to_owned(),
                ),
            }
        }
    }
    Ok(folder)
}

impl Folder {
    fn file(&mut self, root: &Path, path: String) {
        let full = root.join(&path);
        let large = fs::metadata(&full).is_ok_and(|m| m.len() > MAX_BYTES);
        if large || self.files.len() >= MAX_FILES {
            return self.refuse(
                path,
                format!("A file has at most {MAX_BYTES} bytes, and a catalog {MAX_FILES} files."),
            );
        }
        match fs::read(&full) {
            Ok(bytes) => {
                self.files.insert(path, bytes);
            }
            Err(source) => self.refuse(path, format!("This file cannot be read: {source}.")),
        }
    }

    fn refuse(&mut self, path: String, why: String) {
        self.refused.insert(path, why);
    }
}
