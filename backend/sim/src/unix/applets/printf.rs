//! `printf`, and the escapes that `echo -e` knows too.

use std::fmt::Write;

use crate::unix::process::{Call, Done};

/// `\n`, `\t`, `\0NNN`, `\xHH` and the others.
pub(crate) fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            result.push('\\');
            break;
        };
        let mut used = c.len_utf8();
        match c {
            'n' => result.push('\n'),
            't' => result.push('\t'),
            'r' => result.push('\r'),
            'a' => result.push('\x07'),
            'b' => result.push('\x08'),
            'f' => result.push('\x0c'),
            'v' => result.push('\x0b'),
            'e' => result.push('\x1b'),
            '\\' | '"' | '\'' => result.push(c),
            'x' => {
                let digits = leading(&rest[1..], 16, 2);
                used += digits.len();
                match u8::from_str_radix(digits, 16) {
                    Ok(byte) => result.push(char::from(byte)),
                    Err(_) => result.push_str("\\x"),
                }
            }
            '0'..='7' => {
                let digits = leading(rest, 8, if c == '0' { 4 } else { 3 });
                used = digits.len();
                let code = u32::from_str_radix(digits, 8).unwrap_or(0) & 0xff;
                result.extend(char::from_u32(code));
            }
            other => {
                result.push('\\');
                result.push(other);
            }
        }
        rest = &rest[used..];
    }
    result.push_str(rest);
    result
}

fn leading(text: &str, radix: u32, most: usize) -> &str {
    let end = text
        .chars()
        .take(most)
        .take_while(|c| c.is_digit(radix))
        .count();
    &text[..end]
}

/// One conversion of a `printf` format: `%-08.3d`.
struct Conversion {
    left: bool,
    zero: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

impl Conversion {
    fn pad(&self, text: &str, numeric: bool) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.left {
            return format!("{text}{}", " ".repeat(missing));
        }
        if self.zero && numeric {
            let (sign, digits) = text.split_at(usize::from(text.starts_with('-')));
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        format!("{}{text}", " ".repeat(missing))
    }
}

pub(super) async fn printf(call: &mut Call) -> Done {
    let mut words = call.args();
    if words.first().is_some_and(|word| word == "--") {
        words = &words[1..];
    }
    let Some((format, arguments)) = words.split_first() else {
        call.err("printf: usage: printf FORMAT [ARG]...\n").await;
        return Err(1);
    };
    let mut arguments = arguments.iter();
    let mut output = String::new();
    let mut code = 0;
    loop {
        let left = arguments.len();
        match render(format, &mut arguments, &mut output) {
            Ok(true) => {}
            Ok(false) => break,
            Err(message) => {
                code = 1;
                call.err(format!("printf: {message}\n")).await;
            }
        }
        // The format is used again while it eats arguments.
        if arguments.len() == 0 || arguments.len() == left {
            break;
        }
    }
    call.out(output).await?;
    Ok(code)
}

/// Renders a format once; false when `\c` ends all output.
fn render<'a>(
    format: &str,
    arguments: &mut impl Iterator<Item = &'a String>,
    output: &mut String,
) -> Result<bool, String> {
    let mut problem = None;
    let mut rest = format;
    while let Some(at) = rest.find(['%', '\\']) {
        output.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("\\c") {
            return Ok(false);
        }
        if rest.starts_with('\\') {
            let end = escape_length(rest);
            output.push_str(&unescape(&rest[..end]));
            rest = &rest[end..];
            continue;
        }
        if let Some(after) = rest.strip_prefix("%%") {
            output.push('%');
            rest = after;
            continue;
        }
        let (conversion, after) =
            conversion(&rest[1..], arguments).ok_or(format!("{rest}: invalid format"))?;
        rest = after;
        let argument = arguments.next().map_or("", String::as_str);
        match convert(&conversion, argument) {
            Ok(text) => output.push_str(&text),
            Err(message) => {
                output.push_str(&conversion.pad("0", true));
                problem = Some(message);
            }
        }
        if conversion.kind == 'b' && argument.contains("\\c") {
            return Ok(false);
        }
    }
    output.push_str(rest);
    problem.map_or(Ok(true), Err)
}

fn escape_length(text: &str) -> usize {
    let after = &text[1..];
    1 + match after.chars().next() {
        Some('x') => 1 + leading(&after[1..], 16, 2).len(),
        Some('0'..='7') => leading(after, 8, 3).len(),
        Some(c) => c.len_utf8(),
        None => 0,
    }
}

fn conversion<'f, 'a>(
    text: &'f str,
    arguments: &mut impl Iterator<Item = &'a String>,
) -> Option<(Conversion, &'f str)> {
    let flags = text.len() - text.trim_start_matches(['-', '0', '+', ' ', '#']).len();
    let (flags, mut rest) = text.split_at(flags);
    let mut number = |rest: &mut &'f str| {
        if let Some(after) = rest.strip_prefix('*') {
            *rest = after;
            return arguments
                .next()
                .and_then(|word| word.parse().ok())
                .unwrap_or(0);
        }
        let digits = leading(rest, 10, 9);
        *rest = &rest[digits.len()..];
        digits.parse().unwrap_or(0)
    };
    let width = number(&mut rest);
    let mut precision = None;
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        precision = Some(number(&mut rest));
    }
    let kind = rest
        .chars()
        .next()
        .filter(|kind| "sbcdiuxXof".contains(*kind))?;
    let conversion = Conversion {
        left: flags.contains('-'),
        zero: flags.contains('0'),
        plus: flags.contains('+'),
        width,
        precision,
        kind,
    };
    Some((conversion, &rest[kind.len_utf8()..]))
}

fn convert(conversion: &Conversion, argument: &str) -> Result<String, String> {
    let number = || -> Result<i64, String> {
        if argument.is_empty() {
            return Ok(0);
        }
        if let Some(c) = argument.strip_prefix(['\'', '"']) {
            return Ok(c.chars().next().map_or(0, |c| i64::from(u32::from(c))));
        }
        let (sign, digits) = match argument.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, argument.strip_prefix('+').unwrap_or(argument)),
        };
        let parsed = match digits.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16),
            None if digits.len() > 1 && digits.starts_with('0') => {
                i64::from_str_radix(&digits[1..], 8)
            }
            None => digits.parse(),
        };
        parsed
            .map(|value| sign * value)
            .map_err(|_| format!("invalid number '{argument}'"))
    };
    Ok(match conversion.kind {
        's' | 'b' => {
            let text = if conversion.kind == 'b' {
                unescape(argument)
            } else {
                argument.to_owned()
            };
            let text: String = text
                .chars()
                .take(conversion.precision.unwrap_or(usize::MAX))
                .collect();
            conversion.pad(&text, false)
        }
        'c' => conversion.pad(&argument.chars().take(1).collect::<String>(), false),
        'f' => {
            let value: f64 = if argument.is_empty() {
                0.0
            } else {
                argument
                    .parse()
                    .map_err(|_| format!("invalid number '{argument}'"))?
            };
            conversion.pad(
                &format!("{value:.*}", conversion.precision.unwrap_or(6)),
                true,
            )
        }
        kind => {
            let value = number()?;
            let mut text = String::new();
            let written = match kind {
                'x' => write!(text, "{value:x}"),
                'X' => write!(text, "{value:X}"),
                'o' => write!(text, "{value:o}"),
                'u' => write!(text, "{}", value.cast_unsigned()),
                _ if conversion.plus => write!(text, "{value:+}"),
                _ => write!(text, "{value}"),
            };
            written.map_err(|error| error.to_string())?;
            conversion.pad(&text, true)
        }
    })
}
