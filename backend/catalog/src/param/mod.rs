//! What a deployment may be asked: typed parameters.
//!
//! A parameter's name is the variable that `compose.yaml` interpolates. Its value is checked here and nowhere else;
//! what reaches `.env` has passed [`value`].

mod form;
mod generate;
mod read;
mod value;

pub use generate::Generate;

pub(crate) use read::{is_name, read};
pub(crate) use value::{check, text};

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A parameter of an entry.
#[derive(Clone, Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the keys of the catalog format, each independent of the others"
)]
pub struct Param {
    /// Name, and the environment variable that compose interpolates.
    pub name: String,
    /// Label for people.
    pub label: String,
    /// Help for people.
    pub help: Option<String>,
    /// Heading that it belongs under.
    pub group: Option<String>,
    /// What values it takes.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Value when none is given, already checked.
    pub default: Option<Value>,
    /// Whether a value must be given.
    pub required: bool,
    /// Further rules.
    pub validate: Validate,
    /// Choices of `enum` and `multi`.
    pub options: Vec<Choice>,
    /// How a value is made up when none is given.
    pub generate: Option<Generate>,
    /// Cannot change after the first deployment.
    pub immutable: bool,
    /// Belongs in the folded part of a form.
    pub advanced: bool,
    /// A form leaves it out.
    pub hidden: bool,
    /// Shown once the app runs, although it may be secret.
    pub show_after_deploy: bool,
    /// Tera expression over `params`; where it is false the parameter is not asked for.
    pub when: Option<String>,
    /// Whether it is written to `.env`; otherwise it is for templates only.
    pub env: bool,
}

impl Param {
    /// Whether its value must not be shown, logged or stored in the open.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret || self.generate.as_ref().is_some_and(Generate::makes_a_secret)
    }

    /// A plain text parameter, as inference makes them.
    pub(crate) fn text(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: label(name),
            help: None,
            group: None,
            kind: Kind::String,
            default: None,
            required: false,
            validate: Validate::default(),
            options: Vec::new(),
            generate: None,
            immutable: false,
            advanced: false,
            hidden: false,
            show_after_deploy: false,
            when: None,
            env: true,
        }
    }
}

/// `DB_PASSWORD` as "Db password".
pub(crate) fn label(name: &str) -> String {
    let words = name.replace('_', " ").trim().to_lowercase();
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// A choice of an `enum` or `multi` parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// Rules beyond the type. Lengths are characters; `min` and `max` are numbers, bytes of a size or seconds of a duration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Validate {
    /// Regular expression that the whole value must match.
    pub pattern: Option<String>,
    /// Least value.
    pub min: Option<f64>,
    /// Greatest value.
    pub max: Option<f64>,
    /// Least number of characters.
    pub min_length: Option<u64>,
    /// Greatest number of characters.
    pub max_length: Option<u64>,
    /// The only values allowed.
    pub one_of: Vec<String>,
    /// What to tell people when `pattern` or `one_of` is not met.
    pub message: Option<String>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal,)+) => {
        /// What values a parameter takes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $kind,)+ }

        impl Kind {
            /// All words, for sentences.
            pub(crate) const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word of the catalog format.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word,)+ }
            }

            pub(crate) fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$kind),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// Text.
    String = "string",
    /// Text of several lines.
    Text = "text",
    /// A whole number.
    Int = "int",
    /// A number.
    Number = "number",
    /// True or false.
    Bool = "bool",
    /// A TCP or UDP port.
    Port = "port",
    /// One of `options`.
    Enum = "enum",
    /// Several of `options`; a list of them, separated by commas in `.env`.
    Multi = "multi",
    /// Text that nobody may see.
    Secret = "secret",
    /// An absolute URL.
    Url = "url",
    /// An e-mail address.
    Email = "email",
    /// A host name.
    Hostname = "hostname",
    /// An IPv4 or IPv6 address.
    Ip = "ip",
    /// A network in CIDR form.
    Cidr = "cidr",
    /// An absolute path.
    Path = "path",
    /// A time zone, `Europe/Berlin`.
    Timezone = "timezone",
    /// A size; bytes in `.env`.
    Size = "size",
    /// A duration, `1h30m`; as written in `.env`.
    Duration = "duration",
    /// A folder of the container that a person's own storage is mounted at.
    Mount = "mount",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
