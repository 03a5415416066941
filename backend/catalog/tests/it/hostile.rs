//! Files that want to do harm are refused quickly, each with one sentence.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use catalog::{Severity, check_compose};

fn refused(name: &str, text: &[u8]) -> String {
    let started = Instant::now();
    let found = check_compose(text, None);
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{name} took {:?}",
        started.elapsed()
    );
    let error = found.iter().find(|f| f.severity == Severity::Error);
    error
        .unwrap_or_else(|| panic!("{name} was accepted: {found:?}"))
        .to_string()
}

fn laughs(levels: usize, width: usize) -> String {
    let mut text = "a0: &a0 [lol, lol, lol]\n".to_owned();
    for level in 1..levels {
        let aliases = vec![format!("*a{}", level - 1); width].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    text + "services: {a: {image: x}}\n"
}

/// Texts, and the one sentence about each.
const REFUSED: &[(&str, &str)] = &[
    (
        "a: &a [*a]",
        "compose.yaml:1:8: error: This alias stands inside the node that it names.",
    ),
    (
        "services:\n\ta: {}\n",
        "compose.yaml:2:2: error: A tab stands where YAML allows only spaces.",
    ),
    (
        "services:\n  a: {image: x}\n  a: {image: y}\n",
        "compose.yaml:3:3: error: The key `a` stands here twice.",
    ),
    (
        "services: {a: {image: x}}\n---\nservices: {}\n",
        "compose.yaml:2:1: error: A second document begins here; a file holds one.",
    ),
    (
        "? [a]\n: b\n",
        "compose.yaml:1:3: error: A key must be text, not a list or a mapping.",
    ),
    (
        "a: *nobody\n",
        "compose.yaml:1:4: error: This alias names an anchor that was not defined before.",
    ),
    (
        "a: \"x\n",
        "compose.yaml:2:1: error: A quote is not closed, or its text goes on in a line that is not indented.",
    ),
    (
        "- a\n",
        "compose.yaml:1:1: error: A compose file is a mapping, and this is a list.",
    ),
    (
        "",
        "compose.yaml:1:1: error: There are no `services` here, so nothing would run.",
    ),
    (
        "services: [a]\n",
        "compose.yaml:1:11: error: `services` must be a mapping, and this is a list.",
    ),
    (
        "services: {a: x}\n",
        "compose.yaml:1:15: error: The service `a` must be a mapping, and this is text.",
    ),
    (
        "services: {a: {image: [x]}}\n",
        "compose.yaml:1:23: error: `image` must be text, and this is a list.",
    ),
    (
        "services: {\"a\\nb\": {image: x}}\n",
        "compose.yaml:1:12: error: The name of a service has only letters, digits, `.`, `_` and `-`.",
    ),
    (
        "services: {a: {image: x, ports: \"80\"}}\n",
        "compose.yaml:1:33: error: `ports` must be a list, and this is text.",
    ),
    (
        "services: {a: {<<: x, image: y}}\n",
        "compose.yaml:1:20: error: `<<` merges mappings, and this is none.",
    ),
    (
        "servcies: {}\n",
        "compose.yaml:1:1: error: A compose file has no key `servcies`. Did you mean `services`?",
    ),
];

#[test]
fn one_sentence_for_each() {
    for (text, expected) in REFUSED {
        assert_eq!(refused(text, text.as_bytes()), *expected);
    }
}

#[test]
fn bombs_are_defused() {
    let big = format!(
        "a: &a \"{}\"\nb: [{}]\n",
        "x".repeat(900_000),
        vec!["*a"; 400].join(",")
    );
    let many = format!("a: &a x\nb: [{}]\n", vec!["*a"; 600].join(","));
    let deep: Vec<String> = (0..200).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "billion laughs",
            laughs(10, 9).into(),
            "compose.yaml:7:25: error: With its aliases expanded this document is too large to be read.",
        ),
        (
            "large alias",
            big.into(),
            "compose.yaml:2:11: error: With its aliases expanded this document is too large to be read.",
        ),
        (
            "many aliases",
            many.into(),
            "compose.yaml:2:1505: error: More than 500 aliases are not read.",
        ),
        (
            "deep flow",
            "[".repeat(100_000).into(),
            "compose.yaml:1:65: error: This is nested deeper than 64 levels.",
        ),
        (
            "deep block",
            deep.concat().into(),
            "compose.yaml:65:65: error: This is nested deeper than 64 levels.",
        ),
        (
            "large",
            vec![b' '; 1_048_577],
            "compose.yaml: error: The file has 1048577 bytes; at most 1048576 are read.",
        ),
        (
            "not text",
            b"services:\n  a: \xff\n".to_vec(),
            "compose.yaml:2:6: error: This is not UTF-8 text; save the file as UTF-8.",
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(refused(name, &text), expected, "{name}");
    }
}

#[test]
fn long_keys_and_long_lines_are_no_trouble() {
    for text in [
        format!("{}: 1\n", "k".repeat(500_000)),
        format!(
            "services: {{a: {{image: \"{}\"}}}}\nx: {}\n",
            "i".repeat(400_000),
            "y ".repeat(200_000)
        ),
        "a: &a b\n".repeat(100_000),
        "{".repeat(60) + &"}".repeat(60),
        "!!binary ".repeat(50_000),
        "- ".repeat(100_000),
        "# comment\n".repeat(90_000),
        "%TAG ! a\n".repeat(50_000),
    ] {
        let started = Instant::now();
        let _ = check_compose(text.as_bytes(), None);
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{:?}: {:.40}",
            started.elapsed(),
            text
        );
    }
}
