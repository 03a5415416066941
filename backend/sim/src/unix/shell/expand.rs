//! Words: expansion, field splitting, file names.

use brush_parser::word::{self, TildeExpr, WordPiece, WordPieceWithSource};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::script::words;
use super::{Shell, Stop};
use crate::unix::fd::Fd;
use crate::unix::{files, glob};

/// A stretch of an expanding word.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// Written in the script: names files, is not split.
    Literal(String),
    /// Came from an expansion outside quotes: names files and is split.
    Loose(String),
    /// Quoted: neither.
    Quoted(String),
    /// The border between two of `"$@"`.
    Border,
}

/// A field under construction: its pattern, and whether anything made it exist.
#[derive(Default)]
struct Field {
    pattern: String,
    exists: bool,
}

impl Shell {
    /// A word as the fields that it becomes.
    pub(super) async fn fields(&mut self, text: &str) -> Result<Vec<String>, Stop> {
        let parts = self.parts(text, false).await?;
        let separators = self.get("IFS").unwrap_or(" \t\n").to_owned();
        let mut fields = Vec::new();
        for pattern in split(parts, &separators) {
            if self.options.noglob || !glob::is_pattern(&pattern) {
                fields.push(glob::unescape(&pattern));
                continue;
            }
            let found = self.file_names(&pattern);
            if found.is_empty() {
                fields.push(glob::unescape(&pattern));
            } else {
                fields.extend(found);
            }
        }
        Ok(fields)
    }

    /// A word as one string: no splitting, no file names.
    pub(super) async fn one_string(&mut self, text: &str) -> Result<String, Stop> {
        Ok(joined(self.parts(text, false).await?, |text, _| text))
    }

    /// A word as a pattern: what was quoted is literal.
    pub(super) async fn pattern(&mut self, text: &str) -> Result<String, Stop> {
        Ok(joined(self.parts(text, false).await?, |text, quoted| {
            if quoted { glob::escape(&text) } else { text }
        }))
    }

    /// Pieces inside double quotes or a here-document, as one string.
    pub(super) async fn quoted(&mut self, pieces: &[WordPieceWithSource]) -> Result<String, Stop> {
        Ok(joined(self.pieces(pieces, true).await?, |text, _| text))
    }

    pub(super) async fn parts(&mut self, text: &str, in_quotes: bool) -> Result<Vec<Part>, Stop> {
        match word::parse(text, &words()) {
            Ok(pieces) => self.pieces(&pieces, in_quotes).await,
            Err(error) => {
                self.complain(&format!("syntax error: {error}")).await;
                Err(Stop::Exit(2))
            }
        }
    }

    fn pieces<'a>(
        &'a mut self,
        pieces: &'a [WordPieceWithSource],
        in_quotes: bool,
    ) -> BoxFuture<'a, Result<Vec<Part>, Stop>> {
        async move {
            let mut parts = Vec::new();
            for piece in pieces {
                parts.extend(self.piece(&piece.piece, in_quotes).await?);
            }
            Ok(parts)
        }
        .boxed()
    }

    async fn piece(&mut self, piece: &WordPiece, in_quotes: bool) -> Result<Vec<Part>, Stop> {
        let expanded = |text: String| {
            vec![if in_quotes {
                Part::Quoted(text)
            } else {
                Part::Loose(text)
            }]
        };
        Ok(match piece {
            WordPiece::Text(text) if in_quotes => vec![Part::Quoted(text.clone())],
            WordPiece::Text(text) => vec![Part::Literal(text.clone())],
            WordPiece::SingleQuotedText(text) => vec![Part::Quoted(text.clone())],
            WordPiece::AnsiCQuotedText(text) => {
                vec![Part::Quoted(crate::unix::applets::unescape(text))]
            }
            WordPiece::EscapeSequence(text) => vec![Part::Quoted(escaped(text))],
            WordPiece::DoubleQuotedSequence(inner)
            | WordPiece::GettextDoubleQuotedSequence(inner) => {
                let mut parts = self.pieces(inner, true).await?;
                // Empty quotes are an empty field, but `"$@"` of nothing is none.
                if inner.is_empty() {
                    parts.push(Part::Quoted(String::new()));
                }
                parts
            }
            WordPiece::TildeExpansion(tilde) => vec![self.tilde(tilde)],
            WordPiece::ParameterExpansion(expression) => {
                self.parameter(expression, in_quotes).await?
            }
            WordPiece::CommandSubstitution(text)
            | WordPiece::BackquotedCommandSubstitution(text) => {
                expanded(self.substitute(text).await?)
            }
            WordPiece::ArithmeticExpression(expression) => {
                expanded(self.arithmetic(&expression.value).await?.to_string())
            }
        })
    }

    fn tilde(&self, tilde: &TildeExpr) -> Part {
        match tilde {
            // Without HOME the tilde stays as it is.
            TildeExpr::Home => match self.get("HOME") {
                Some(home) => Part::Quoted(home.to_owned()),
                None => Part::Literal("~".to_owned()),
            },
            TildeExpr::UserHome(user) if user == "root" => Part::Quoted("/root".to_owned()),
            TildeExpr::UserHome(user) => Part::Literal(format!("~{user}")),
            TildeExpr::WorkingDir => Part::Literal("~+".to_owned()),
            TildeExpr::OldWorkingDir => Part::Literal("~-".to_owned()),
            TildeExpr::NthDirFromTopOfDirStack { n, .. } => Part::Literal(format!("~{n}")),
            TildeExpr::NthDirFromBottomOfDirStack { n } => Part::Literal(format!("~-{n}")),
        }
    }

    /// `$(…)`: the output without the line feeds at its end.
    async fn substitute(&mut self, text: &str) -> Result<String, Stop> {
        let (reader, writer) = Fd::pipe();
        let mut shell = self.subshell();
        shell.fds.set(1, writer);
        let run = async move {
            let flow = shell.text(text).await;
            let code = shell.finish(flow).await;
            drop(shell);
            code
        };
        let (code, output) = tokio::join!(run, reader.read_all());
        self.substituted = Some(code);
        self.status = code;
        let output = String::from_utf8_lossy(&output).replace('\0', "");
        Ok(output.trim_end_matches('\n').to_owned())
    }

    /// Files that fit a pattern, sorted; none when there are none.
    fn file_names(&self, pattern: &str) -> Vec<String> {
        let mut found = vec![if pattern.starts_with('/') {
            "/".to_owned()
        } else {
            String::new()
        }];
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            let files = self.machine.base().files();
            found = found
                .iter()
                .flat_map(|so_far| {
                    let folder = files::join(&self.cwd, so_far);
                    let mut names = if glob::is_pattern(part) {
                        files.list(&folder).unwrap_or_default()
                    } else {
                        vec![glob::unescape(part)]
                    };
                    names.retain(|name| {
                        let shown = !name.starts_with('.') || part.starts_with('.');
                        shown && glob::matches(part, name)
                    });
                    names.into_iter().map(|name| match so_far.as_str() {
                        "" => name,
                        "/" => format!("/{name}"),
                        so_far => format!("{so_far}/{name}"),
                    })
                })
                .filter(|path| files.lookup_link(&files::join(&self.cwd, path)).is_ok())
                .collect();
        }
        found
    }
}

/// A backslash and what it protects; a protected line feed is nothing.
fn escaped(text: &str) -> String {
    match text.strip_prefix('\\') {
        Some("\n") => String::new(),
        Some(rest) => rest.to_owned(),
        None => text.to_owned(),
    }
}

fn joined(parts: Vec<Part>, text_of: impl Fn(String, bool) -> String) -> String {
    parts
        .into_iter()
        .map(|part| match part {
            Part::Literal(text) | Part::Loose(text) => text_of(text, false),
            Part::Quoted(text) => text_of(text, true),
            Part::Border => " ".to_owned(),
        })
        .collect()
}

/// Cuts parts into fields, each a pattern in which quoted characters are escaped.
fn split(parts: Vec<Part>, separators: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = Field::default();
    for part in parts {
        match part {
            Part::Literal(text) => {
                field.exists = true;
                field.pattern.push_str(&text);
            }
            Part::Quoted(text) => {
                field.exists = true;
                field.pattern.push_str(&glob::escape(&text));
            }
            Part::Border => {
                field.exists = true;
                close(&mut fields, &mut field);
                field.exists = true;
            }
            Part::Loose(text) => split_loose(&text, separators, &mut fields, &mut field),
        }
    }
    close(&mut fields, &mut field);
    fields
}

fn split_loose(text: &str, separators: &str, fields: &mut Vec<String>, field: &mut Field) {
    for c in text.chars() {
        if !separators.contains(c) {
            field.exists = true;
            // A backslash from an expansion is an ordinary character.
            if c == '\\' {
                field.pattern.push('\\');
            }
            field.pattern.push(c);
            continue;
        }
        // White space only ends a field that there is; any other separator ends one in any case.
        if !c.is_ascii_whitespace() {
            field.exists = true;
        }
        close(fields, field);
    }
}

fn close(fields: &mut Vec<String>, field: &mut Field) {
    let done = std::mem::take(field);
    if done.exists {
        fields.push(done.pattern);
    }
}
