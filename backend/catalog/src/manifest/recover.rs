//! From the `.env` of a deployment back to its answers.

use serde_json::Value;

use super::Manifest;
use crate::{Answer, Answers, dotenv, param};

/// Answers read back from where they were written, and what could not be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recovered {
    /// The values.
    pub answers: Answers,
    /// Parameters whose value is not in the file: they have their default, or none.
    pub missing: Vec<String>,
    /// Variables of the file that are no parameters. They are not kept.
    pub unknown: Vec<String>,
}

impl Manifest {
    /// The answers that a `.env` was written from. Nothing is made up: a secret that is not in the file is missing.
    /// A value that does not fit its parameter any more is kept as it is, for that is what the app runs with.
    ///
    /// The error says which line is wrong, and never holds a value.
    pub fn recover(&self, env: &str) -> Result<Recovered, String> {
        let values = dotenv::read(env)?;
        let mut recovered = Recovered::default();
        for parameter in &self.params {
            let told = values.iter().find(|(name, _)| *name == parameter.name);
            let value = match told {
                Some((_, text)) => {
                    let text = Value::from(text.as_str());
                    Some(param::check(parameter, &text).unwrap_or(text))
                }
                None => parameter.default.clone(),
            };
            // What is written only where it applies, or has no value, is not missed.
            let is_expected =
                parameter.when.is_none() && (parameter.required || parameter.generate.is_some());
            if told.is_none() && is_expected {
                recovered.missing.push(parameter.name.clone());
            }
            if let Some(value) = value {
                let secret = parameter.is_secret();
                let answer = Answer { value, secret };
                recovered
                    .answers
                    .values
                    .insert(parameter.name.clone(), answer);
            }
        }
        let known = |name: &String| self.param(name).is_some();
        recovered.unknown = values
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| !known(name))
            .collect();
        Ok(recovered)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Files, RenderContext};

    fn manifest() -> Manifest {
        let compose = "services:\n  web:\n    image: demo/web:1\n    environment: [TITLE, PASSWORD, COUNT]\n    ports: ['80:80']\n";
        let app = "params:\n  - {name: TITLE, type: string, default: x}\n  - {name: PASSWORD, type: secret, generate: {kind: password}}\n  - {name: COUNT, type: int, default: 3}\n";
        let files = [("compose.yaml", compose), ("app.yaml", app)]
            .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        Manifest::from_files("demo", Files::from(files)).unwrap()
    }

    #[test]
    fn answers_come_back_as_they_were_written() {
        let manifest = manifest();
        let given = json!({"TITLE": "it's \"$5\"\nnow\\", "COUNT": 7});
        let answers = manifest
            .resolve(given.as_object().unwrap(), &mut rand::rng())
            .unwrap();
        let context = RenderContext {
            app: "demo".to_owned(),
            hostname: "demo".to_owned(),
            ip: None,
            cores: 1,
            memory_mib: 512,
            vmid: 100,
        };
        let project = manifest.render(&answers, &context).unwrap();
        let env = project
            .files
            .iter()
            .find(|file| file.path == ".env")
            .unwrap();
        let env = String::from_utf8(env.bytes.clone()).unwrap();
        let recovered = manifest.recover(&env).unwrap();
        assert_eq!(recovered.answers, answers);
        assert_eq!((recovered.missing.len(), recovered.unknown.len()), (0, 0));
    }

    #[test]
    fn no_secret_is_made_up_and_nothing_else_is_taken() {
        let recovered = manifest().recover("COUNT=many\nOTHER=1\n").unwrap();
        assert_eq!(recovered.missing, ["PASSWORD"]);
        assert_eq!(recovered.unknown, ["OTHER"]);
        assert_eq!(recovered.answers.text("COUNT").as_deref(), Some("many"));
        assert_eq!(recovered.answers.text("PASSWORD"), None);
        assert_eq!(recovered.answers.text("TITLE").as_deref(), Some("x"));
    }
}
