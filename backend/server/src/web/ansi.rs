//! The colours of a terminal (ECMA-48, SGR) as elements with classes. Every other control sequence is left out.

/// A line as HTML: escaped, its colours and weights as `<span class="…">`.
pub(crate) fn html(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 32);
    let (mut style, mut rest) = (Style::default(), line);
    while let Some(at) = rest.find('\u{1b}') {
        style.write(&rest[..at], &mut out);
        let (sequence, after) = sequence(&rest[at + 1..]);
        if let Some(codes) = sequence {
            style.apply(codes);
        }
        rest = after;
    }
    style.write(rest, &mut out);
    out
}

/// The line without any sequence: what is searched and downloaded.
pub(crate) fn plain(line: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        rest = sequence(&rest[at + 1..]).1;
    }
    out.push_str(rest);
    out.retain(|character| !character.is_control() || character == '\t');
    out
}

/// What follows an escape: the codes, where it is an SGR sequence, and the text after it.
fn sequence(text: &str) -> (Option<&str>, &str) {
    match text.as_bytes().first() {
        // CSI: parameters, intermediates, one final byte.
        Some(b'[') => {
            let body = &text[1..];
            match body.find(|character: char| ('@'..='~').contains(&character)) {
                Some(end) => {
                    let codes = body.as_bytes()[end] == b'm';
                    (codes.then_some(&body[..end]), &body[end + 1..])
                }
                None => (None, ""),
            }
        }
        // OSC: a title or a link, until BEL or ST.
        Some(b']') => match text.find(['\u{7}', '\u{1b}']) {
            Some(end) if text.as_bytes()[end] == 7 => (None, &text[end + 1..]),
            Some(end) => (
                None,
                text[end..].strip_prefix("\u{1b}\\").unwrap_or(&text[end..]),
            ),
            None => (None, ""),
        },
        Some(first) => {
            let mut letters = text.chars();
            letters.next();
            if matches!(first, b'(' | b')') {
                // A character set: one more.
                letters.next();
            }
            (None, letters.as_str())
        }
        None => (None, ""),
    }
}

#[derive(Clone, Copy, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an attribute of its own in the standard"
)]
struct Style {
    /// 0 to 15.
    ink: Option<u8>,
    ground: Option<u8>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

impl Style {
    fn apply(&mut self, codes: &str) {
        let mut codes = codes
            .split([';', ':'])
            .map(|code| code.parse::<u16>().unwrap_or(0));
        while let Some(code) = codes.next() {
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                30..=37 => self.ink = narrow(code - 30),
                38 => self.ink = extended(&mut codes),
                39 => self.ink = None,
                40..=47 => self.ground = narrow(code - 40),
                48 => self.ground = extended(&mut codes),
                49 => self.ground = None,
                90..=97 => self.ink = narrow(code - 90 + 8),
                100..=107 => self.ground = narrow(code - 100 + 8),
                _ => {}
            }
        }
    }

    fn write(self, text: &str, out: &mut String) {
        if text.is_empty() {
            return;
        }
        let is_plain = self == Self::default();
        if !is_plain {
            out.push_str("<span class=\"");
            out.push_str(&self.classes());
            out.push_str("\">");
        }
        for character in text.chars() {
            match character {
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '&' => out.push_str("&amp;"),
                '"' => out.push_str("&quot;"),
                '\t' => out.push('\t'),
                character if character.is_control() => {}
                character => out.push(character),
            }
        }
        if !is_plain {
            out.push_str("</span>");
        }
    }

    fn classes(self) -> String {
        let mut classes: Vec<String> = Vec::new();
        classes.extend(self.ink.map(|ink| format!("ink-{ink}")));
        classes.extend(self.ground.map(|ground| format!("ground-{ground}")));
        let flags = [
            (self.bold, "bold"),
            (self.dim, "dim"),
            (self.italic, "italic"),
            (self.underline, "underline"),
        ];
        classes.extend(
            flags
                .iter()
                .filter(|(is_set, _)| *is_set)
                .map(|(_, name)| (*name).to_owned()),
        );
        classes.join(" ")
    }
}

fn narrow(code: u16) -> Option<u8> {
    u8::try_from(code).ok()
}

/// `5;n` (256 colours) or `2;r;g;b`: the nearest of the sixteen that the design has in both themes.
fn extended(codes: &mut impl Iterator<Item = u16>) -> Option<u8> {
    match codes.next()? {
        5 => match codes.next()? {
            code @ 0..=15 => narrow(code),
            code @ 16..=231 => {
                let level = |part: u16| [0, 95, 135, 175, 215, 255][usize::from(part % 6)];
                let cube = code - 16;
                Some(nearest([level(cube / 36), level(cube / 6), level(cube)]))
            }
            code @ 232..=255 => {
                let grey = i32::from(8 + (code - 232) * 10);
                Some(nearest([grey; 3]))
            }
            _ => None,
        },
        2 => {
            let mut part = || codes.next().map(|part| i32::from(part.min(255)));
            Some(nearest([part()?, part()?, part()?]))
        }
        _ => None,
    }
}

fn nearest(colour: [i32; 3]) -> u8 {
    const SIXTEEN: [[i32; 3]; 16] = [
        [0, 0, 0],
        [170, 0, 0],
        [0, 170, 0],
        [170, 85, 0],
        [0, 0, 170],
        [170, 0, 170],
        [0, 170, 170],
        [170, 170, 170],
        [85, 85, 85],
        [255, 85, 85],
        [85, 255, 85],
        [255, 255, 85],
        [85, 85, 255],
        [255, 85, 255],
        [85, 255, 255],
        [255, 255, 255],
    ];
    let far = |known: &[i32; 3]| -> i32 {
        known
            .iter()
            .zip(colour)
            .map(|(known, asked)| (known - asked).pow(2))
            .sum()
    };
    let (place, _) = SIXTEEN
        .iter()
        .enumerate()
        .min_by_key(|(_, known)| far(known))
        .expect("there are sixteen");
    u8::try_from(place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_text_is_escaped() {
        assert_eq!(
            html("\u{1b}[1;31mERROR\u{1b}[0m <script>&\"x\""),
            "<span class=\"ink-1 bold\">ERROR</span> &lt;script&gt;&amp;&quot;x&quot;"
        );
        assert_eq!(
            html("\u{1b}[92mup\u{1b}[39m."),
            "<span class=\"ink-10\">up</span>."
        );
        assert_eq!(
            html("\u{1b}[38;5;196mred"),
            "<span class=\"ink-1\">red</span>"
        );
        assert_eq!(
            html("\u{1b}[38;2;90;250;80mgreen"),
            "<span class=\"ink-10\">green</span>"
        );
    }

    #[test]
    fn every_other_sequence_is_left_out() {
        for (line, text) in [
            ("\u{1b}[2K\u{1b}[1Gdone", "done"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("cut \u{1b}[38;5", "cut "),
            ("cut \u{1b}", "cut "),
            ("bell\u{7} \u{0}nul", "bell nul"),
            ("\u{1b}(Bascii é", "ascii é"),
        ] {
            assert_eq!(plain(line), text, "{line:?}");
            assert_eq!(html(line), text, "{line:?}");
        }
    }
}
