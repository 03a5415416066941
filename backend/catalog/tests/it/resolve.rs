//! From what people give to what is deployed.

use catalog::{Answers, FieldError, Manifest};
use serde_json::json;

use crate::support::{entry_with, given, resolve, rng};

const COMPOSE: &str = "\
services:
  web:
    image: a:1
    ports: [\"80:80\"]
    env_file: .env
";

fn app(params: &str) -> Manifest {
    entry_with(COMPOSE, &format!("params:\n{params}")).unwrap_or_else(|e| panic!("{e:#?}"))
}

fn text(answers: &Answers, name: &str) -> String {
    answers
        .text(name)
        .unwrap_or_else(|| panic!("{name} has no value"))
}

#[test]
fn every_error_is_told_with_its_pointer() {
    let app = app("  - {name: PORT, type: port}
  - {name: MAIL, label: Mail, type: email, required: true}
  - {name: SITE, type: string, required: true}
  - {name: MODE, type: enum, options: [a, b]}
");
    let errors = resolve(
        &app,
        json!({"PORT": 99999, "MAIL": "nobody", "MODE": "c", "PROT": 1, "a/b~c": 1}),
    )
    .unwrap_err();
    let expected = [
        (
            "/parameters/PROT",
            "There is no such parameter. Did you mean `PORT`?",
        ),
        ("/parameters/a~1b~0c", "There is no such parameter."),
        ("/parameters/PORT", "Port must be a port from 1 to 65535."),
        ("/parameters/MAIL", "Mail must be an e-mail address."),
        ("/parameters/SITE", "Site is required."),
        ("/parameters/MODE", "Mode must be one of a, b."),
    ];
    let mut expected: Vec<FieldError> = expected
        .iter()
        .map(|(pointer, message)| FieldError {
            pointer: (*pointer).to_owned(),
            message: (*message).to_owned(),
        })
        .collect();
    let mut errors = errors;
    errors.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    expected.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    assert_eq!(errors, expected);
}

#[test]
fn defaults_given_and_made_up() {
    let app = app("  - {name: A, default: d}
  - {name: B, type: int, default: 3}
  - {name: S, type: secret, generate: {kind: password, length: 20}}
  - {name: D, type: secret, generate: {kind: from, of: S, length: 16}}
  - {name: J, type: secret, generate: {kind: jwt, secret: S, claims: {role: anon}}}
  - {name: N}
");
    let answers = resolve(&app, json!({"A": "it's \"$X\"\n`y`", "B": "7"})).unwrap();
    assert_eq!(text(&answers, "A"), "it's \"$X\"\n`y`");
    assert_eq!(answers.values["B"].value, json!(7));
    assert_eq!(text(&answers, "S").len(), 20);
    assert_eq!(text(&answers, "D").len(), 16);
    assert_eq!(text(&answers, "J").split('.').count(), 3);
    assert!(answers.text("N").is_none());
    assert!(answers.values["D"].secret && !answers.values["A"].secret);
    assert_ne!(text(&answers, "S"), text(&resolve_with_seed(&app, 1), "S"));
    let given = resolve(&app, json!({"S": "my own"})).unwrap();
    assert_eq!(text(&given, "S"), "my own");
    let shown = format!("{answers:?}");
    assert!(
        !shown.contains(&text(&answers, "S")) && shown.contains("(secret)"),
        "{shown}"
    );
}

fn resolve_with_seed(app: &Manifest, seed: u64) -> Answers {
    use rand::SeedableRng;
    app.resolve(
        &given(json!({})),
        &mut rand::rngs::StdRng::seed_from_u64(seed),
    )
    .unwrap()
}

#[test]
fn an_empty_field_of_a_form_is_nothing() {
    let app = app(
        "  - {name: S, type: secret, generate: {kind: hex, bytes: 8}}
  - {name: U, type: url}
  - {name: T, default: something}
  - {name: R, required: true}
",
    );
    let answers = resolve(&app, json!({"S": "", "U": "", "T": "", "R": "x"})).unwrap();
    assert_eq!(text(&answers, "S").len(), 16);
    assert!(answers.text("U").is_none());
    assert_eq!(text(&answers, "T"), "", "clearing a text is a choice");
    let errors = resolve(&app, json!({"R": ""})).unwrap_err();
    assert_eq!(errors[0].message, "R must not be empty.");
    assert!(resolve(&app, json!({"R": null})).is_err());
}

#[test]
fn what_was_decided_stays() {
    let app = app(
        "  - {name: S, type: secret, generate: {kind: hex, bytes: 16}, immutable: true}
  - {name: P, immutable: true, default: one}
  - {name: M, default: m}
",
    );
    let first = resolve(&app, json!({"P": "mine", "M": "given"})).unwrap();
    let again = app
        .resolve_again(&given(json!({})), &first, &mut rng())
        .unwrap();
    assert_eq!(
        first, again,
        "nothing is made up anew, and no default comes back"
    );
    let changed = app
        .resolve_again(&given(json!({"M": "new", "P": "mine"})), &first, &mut rng())
        .unwrap();
    assert_eq!(text(&changed, "M"), "new");
    assert_eq!(text(&changed, "S"), text(&first, "S"));
    let errors = app
        .resolve_again(&given(json!({"P": "other"})), &first, &mut rng())
        .unwrap_err();
    assert_eq!(
        errors[0].message,
        "P cannot be changed after the first deployment."
    );
    assert_eq!(errors[0].pointer, "/parameters/P");
}

#[test]
fn a_new_version_brings_new_parameters() {
    let old = app("  - {name: A, default: a}\n  - {name: GONE, default: g}\n");
    let first = resolve(&old, json!({})).unwrap();
    let new = app(
        "  - {name: A, default: other}\n  - {name: S, type: secret, generate: {kind: hex, bytes: 8}}\n",
    );
    let answers = new
        .resolve_again(&given(json!({})), &first, &mut rng())
        .unwrap();
    assert_eq!(text(&answers, "A"), "a");
    assert_eq!(text(&answers, "S").len(), 16);
    assert!(answers.text("GONE").is_none());
}

#[test]
fn conditions() {
    let app = app("  - {name: MAIL, type: bool, default: false}
  - {name: HOST, required: true, when: params.MAIL}
  - {name: FROM, default: nobody@example.org, when: params.MAIL}
  - {name: KEY, type: secret, generate: {kind: hex, bytes: 8}}
  - {name: SUB, type: secret, generate: {kind: from, of: KEY}, when: params.MAIL}
");
    let without = resolve(&app, json!({})).unwrap();
    assert!(without.text("HOST").is_none() && without.text("SUB").is_none());
    assert_eq!(text(&without, "FROM"), "nobody@example.org");
    assert_eq!(
        resolve(&app, json!({"MAIL": true})).unwrap_err()[0].message,
        "Host is required."
    );
    let with = resolve(&app, json!({"MAIL": "true", "HOST": "mx"})).unwrap();
    assert_eq!(text(&with, "HOST"), "mx");
    assert_eq!(text(&with, "SUB").len(), 64);
    let errors = resolve(&app, json!({"HOST": "mx"})).unwrap_err();
    assert_eq!(errors[0].message, "Host does not apply with these answers.");
}

#[test]
fn answers_survive_storage() {
    let app = app(
        "  - {name: S, type: secret, generate: {kind: hex, bytes: 8}}\n  - {name: L, type: multi, options: [a, b]}\n",
    );
    let answers = resolve(&app, json!({"L": ["a", "b"]})).unwrap();
    let stored = serde_json::to_string(&answers).unwrap();
    assert_eq!(serde_json::from_str::<Answers>(&stored).unwrap(), answers);
    let shown = serde_json::to_string(&answers.redacted()).unwrap();
    assert!(!shown.contains(&text(&answers, "S")));
}
