//! Redirections and here-documents.

use brush_parser::ast::{IoFileRedirectKind, IoFileRedirectTarget, IoHereDocument, IoRedirect};
use brush_parser::word;

use super::script::words;
use super::{Shell, Stop};
use crate::unix::fd::{Fd, Fds};
use crate::unix::files::{self, Errno};

impl Shell {
    /// The descriptors after these redirections; `None` when one failed, which was said then.
    pub(super) async fn redirect<'a>(
        &mut self,
        redirects: impl Iterator<Item = &'a IoRedirect> + Send,
    ) -> Result<Option<Fds>, Stop> {
        let mut fds = self.fds.clone();
        for redirect in redirects {
            let done = match redirect {
                IoRedirect::File(number, kind, target) => {
                    self.redirect_file(&mut fds, *number, kind, target).await?
                }
                IoRedirect::HereDocument(number, document) => {
                    let text = self.here_document(document).await?;
                    fds.set(descriptor(*number, 0), Fd::of(text.into_bytes()));
                    true
                }
                IoRedirect::HereString(..) | IoRedirect::OutputAndError(..) => {
                    self.complain("syntax error: unexpected redirection").await;
                    return Err(Stop::Exit(2));
                }
            };
            if !done {
                return Ok(None);
            }
        }
        Ok(Some(fds))
    }

    async fn redirect_file(
        &mut self,
        fds: &mut Fds,
        number: Option<i32>,
        kind: &IoFileRedirectKind,
        target: &IoFileRedirectTarget,
    ) -> Result<bool, Stop> {
        let reads = matches!(
            kind,
            IoFileRedirectKind::Read | IoFileRedirectKind::DuplicateInput
        );
        let number = descriptor(number, u32::from(!reads));
        match target {
            IoFileRedirectTarget::Filename(word) => {
                let name = self.one_string(&word.value).await?;
                match self.open(fds, &name, kind) {
                    Ok(fd) => fds.set(number, fd),
                    Err(errno) => {
                        self.complain(&refusal(&name, kind, errno)).await;
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            IoFileRedirectTarget::Fd(source) => {
                self.duplicate(fds, number, &source.to_string()).await
            }
            IoFileRedirectTarget::Duplicate(word) => {
                let source = self.one_string(&word.value).await?;
                self.duplicate(fds, number, &source).await
            }
            IoFileRedirectTarget::ProcessSubstitution(..) => {
                self.complain("syntax error: unexpected \"(\"").await;
                Err(Stop::Exit(2))
            }
        }
    }

    async fn duplicate(&mut self, fds: &mut Fds, number: u32, source: &str) -> Result<bool, Stop> {
        if source == "-" {
            fds.close(number);
            return Ok(true);
        }
        let fd = source
            .parse()
            .ok()
            .and_then(|source: u32| fds.get(source).cloned());
        let Some(fd) = fd else {
            self.complain(&format!("{source}: bad file descriptor"))
                .await;
            return Ok(false);
        };
        fds.set(number, fd);
        Ok(true)
    }

    fn open(&self, fds: &Fds, name: &str, kind: &IoFileRedirectKind) -> Result<Fd, Errno> {
        let path = files::join(&self.cwd, name);
        let inherited = match path.as_str() {
            "/dev/stdin" => fds.get(0),
            "/dev/stdout" => fds.get(1),
            "/dev/stderr" => fds.get(2),
            _ => None,
        };
        if let Some(fd) = inherited {
            return Ok(fd.clone());
        }
        let base = self.machine.base();
        let append = match kind {
            IoFileRedirectKind::Read | IoFileRedirectKind::DuplicateInput => {
                return base.open(&path);
            }
            IoFileRedirectKind::Write if self.options.noclobber && base.files().exists(&path) => {
                return Err(Errno::Exists);
            }
            IoFileRedirectKind::Append | IoFileRedirectKind::ReadAndWrite => true,
            _ => false,
        };
        let full = self.machine.refuses_writes(&path);
        base.open_for_writing(&path, 0o666 & !self.umask, append, full)
    }

    async fn here_document(&mut self, document: &IoHereDocument) -> Result<String, Stop> {
        if !document.requires_expansion {
            return Ok(document.doc.value.clone());
        }
        match word::parse_heredoc(&document.doc.value, &words()) {
            Ok(pieces) => self.quoted(&pieces).await,
            Err(error) => {
                self.complain(&format!("syntax error: {error}")).await;
                Err(Stop::Exit(2))
            }
        }
    }
}

fn descriptor(number: Option<i32>, usual: u32) -> u32 {
    number
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(usual)
}

/// ash's own words for what `open` refused.
fn refusal(name: &str, kind: &IoFileRedirectKind, errno: Errno) -> String {
    if matches!(kind, IoFileRedirectKind::Read) {
        return match errno {
            Errno::NotFound => format!("can't open {name}: no such file"),
            other => format!("can't open {name}: {other}"),
        };
    }
    match errno {
        Errno::NotFound => format!("can't create {name}: nonexistent directory"),
        other => format!("can't create {name}: {other}"),
    }
}
