//! From the events of the parser to a tree, within the budget.

use std::{collections::HashMap, sync::Arc};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::{
    Kind, MAX_ALIASES, MAX_BYTES, MAX_DEPTH, MAX_WEIGHT, Map, Node, Scalar, mapping::mapping,
};
use crate::finding::{At, Finding, Severity};

/// Reads one document. An empty one is an empty mapping.
pub(crate) fn read(file: &str, bytes: &[u8]) -> Result<Node, Finding> {
    let file: Arc<str> = file.into();
    let start = At {
        file: Arc::clone(&file),
        line: 0,
        column: 0,
    };
    if bytes.len() > MAX_BYTES {
        return Err(refuse(
            &start,
            format!(
                "The file has {} bytes; at most {MAX_BYTES} are read.",
                bytes.len()
            ),
        ));
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| not_utf8(&file, bytes, error.valid_up_to()))?;
    Builder::new(file).document(text)
}

pub(super) fn refuse(at: &At, message: impl Into<String>) -> Finding {
    at.finding(Severity::Error, message)
}

fn not_utf8(file: &Arc<str>, bytes: &[u8], valid: usize) -> Finding {
    let before = String::from_utf8_lossy(&bytes[..valid]);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    refuse(
        &place(file, line, column),
        "This is not UTF-8 text; save the file as UTF-8.",
    )
}

fn place(file: &Arc<str>, line: usize, column: usize) -> At {
    At {
        file: Arc::clone(file),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
    }
}

/// A collection that is still open.
struct Open {
    at: At,
    anchor: usize,
    weight: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Vec<(Node, Node)>, Option<Node>),
}

struct Builder {
    file: Arc<str>,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, (Node, usize)>,
    aliases: usize,
    weight: usize,
}

impl Builder {
    fn new(file: Arc<str>) -> Self {
        Self {
            file,
            open: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            aliases: 0,
            weight: 0,
        }
    }

    fn document(mut self, text: &str) -> Result<Node, Finding> {
        let mut documents = 0;
        let options = granit_parser::options! {
            emit_comments: false,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        for next in Parser::new_from_str_with_options(text, options) {
            let (event, span) = next.map_err(|error| self.syntax(&error))?;
            let at = self.at(&span);
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(refuse(
                            &at,
                            "A second document begins here; a file holds one.",
                        ));
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain && !is_text(tag.as_deref());
                    let weight = 1 + text.len();
                    let text = text.into_owned();
                    self.add(
                        Node {
                            at,
                            kind: Kind::Scalar(Scalar { text, plain }),
                        },
                        anchor,
                        weight,
                    )?;
                }
                Event::SequenceStart(_, anchor, _) => {
                    self.enter(at, anchor, Content::List(Vec::new()))?;
                }
                Event::MappingStart(_, anchor, _) => {
                    self.enter(at, anchor, Content::Map(Vec::new(), None))?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.leave()?,
                Event::Alias(anchor) => self.alias(&at, anchor)?,
                _ => {}
            }
        }
        let nothing = Node {
            at: place(&self.file, 1, 1),
            kind: Kind::Map(Map::default()),
        };
        Ok(self.root.filter(|root| !root.is_null()).unwrap_or(nothing))
    }

    fn at(&self, span: &Span) -> At {
        place(&self.file, span.start.line(), span.start.col() + 1)
    }

    fn syntax(&self, error: &ScanError) -> Finding {
        let marker = error.marker();
        refuse(
            &place(&self.file, marker.line(), marker.col() + 1),
            sentence(error),
        )
    }

    fn enter(&mut self, at: At, anchor: usize, content: Content) -> Result<(), Finding> {
        if self.open.len() >= MAX_DEPTH {
            return Err(refuse(
                &at,
                format!("This is nested deeper than {MAX_DEPTH} levels."),
            ));
        }
        self.open.push(Open {
            at,
            anchor,
            weight: 1,
            content,
        });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Finding> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let kind = match open.content {
            Content::List(list) => Kind::List(list),
            Content::Map(entries, _) => Kind::Map(mapping(entries)?),
        };
        self.place(Node { at: open.at, kind }, open.anchor, open.weight)
    }

    fn alias(&mut self, at: &At, anchor: usize) -> Result<(), Finding> {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            return Err(refuse(
                at,
                format!("More than {MAX_ALIASES} aliases are not read."),
            ));
        }
        let Some((_, weight)) = self.anchors.get(&anchor) else {
            return Err(refuse(
                at,
                "This alias stands inside the node that it names.",
            ));
        };
        let weight = *weight;
        // Counted before it is copied: that is the whole point.
        self.charge(at, weight)?;
        let (node, _) = self.anchors[&anchor].clone();
        let node = Node {
            at: at.clone(),
            ..node
        };
        self.place(node, 0, weight)
    }

    fn charge(&mut self, at: &At, weight: usize) -> Result<(), Finding> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_WEIGHT {
            return Err(refuse(
                at,
                "With its aliases expanded this document is too large to be read.",
            ));
        }
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize, weight: usize) -> Result<(), Finding> {
        self.charge(&node.at, weight)?;
        self.place(node, anchor, weight)
    }

    /// Puts a complete node where it belongs.
    fn place(&mut self, node: Node, anchor: usize, weight: usize) -> Result<(), Finding> {
        if anchor != 0 {
            // The table of anchors holds a copy of its own.
            self.charge(&node.at, weight)?;
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.weight += weight;
        match &mut open.content {
            Content::List(list) => list.push(node),
            Content::Map(entries, key) => match key.take() {
                Some(key) => entries.push((key, node)),
                None if matches!(&node.kind, Kind::Scalar(_)) => *key = Some(node),
                None => {
                    return Err(refuse(
                        &node.at,
                        "A key must be text, not a list or a mapping.",
                    ));
                }
            },
        }
        Ok(())
    }
}

/// `!!str` and `!` make a scalar text whatever it looks like.
fn is_text(tag: Option<&Tag>) -> bool {
    tag.is_some_and(|tag| {
        tag.is_yaml_core_schema_tag("str") || (tag.handle().is_empty() && tag.suffix() == "!")
    })
}

fn sentence(error: &ScanError) -> String {
    match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => {
            "A tab stands where YAML allows only spaces.".to_owned()
        }
        ErrorKind::UnknownAnchor => {
            "This alias names an anchor that was not defined before.".to_owned()
        }
        ErrorKind::RecursionLimitExceeded => {
            format!("This is nested deeper than {MAX_DEPTH} levels.")
        }
        ErrorKind::InvalidQuotedScalarIndent => {
            "A quote is not closed, or its text goes on in a line that is not indented.".to_owned()
        }
        ErrorKind::UnclosedQuotedScalar => "A quote is opened and never closed.".to_owned(),
        ErrorKind::UnclosedFlowCollection { open } => {
            format!("`{open}` is opened and never closed.")
        }
        _ => {
            let info = crate::text::excerpt(&error.info());
            format!("This is not valid YAML: {info}.")
        }
    }
}
