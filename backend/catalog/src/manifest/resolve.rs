//! From what a person gave to the values of a deployment.

use std::collections::{BTreeMap, BTreeSet};

use rand::CryptoRng;
use serde_json::{Map, Value, json};

use super::Manifest;
use crate::{
    Answer, Answers, FieldError, Param,
    param::{self, Kind},
    template, text,
};

impl Manifest {
    /// The values of a first deployment: what was given, defaults, and secrets made up now. All errors at once.
    pub fn resolve(
        &self,
        given: &Map<String, Value>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Answers, Vec<FieldError>> {
        Resolving::new(self, given, None).finish(rng)
    }

    /// The values of a later deployment: what was not given stays as it was, nothing is made up anew, and what is
    /// immutable cannot change.
    pub fn resolve_again(
        &self,
        given: &Map<String, Value>,
        previous: &Answers,
        rng: &mut dyn CryptoRng,
    ) -> Result<Answers, Vec<FieldError>> {
        Resolving::new(self, given, Some(previous)).finish(rng)
    }
}

struct Resolving<'m> {
    manifest: &'m Manifest,
    given: &'m Map<String, Value>,
    previous: Option<&'m Answers>,
    values: BTreeMap<String, Value>,
    /// Parameters whose condition is false.
    idle: BTreeSet<&'m str>,
    /// Where one stands, the value is missing or wrong.
    errors: Vec<(String, String)>,
}

impl<'m> Resolving<'m> {
    fn new(
        manifest: &'m Manifest,
        given: &'m Map<String, Value>,
        previous: Option<&'m Answers>,
    ) -> Self {
        Self {
            manifest,
            given,
            previous,
            values: BTreeMap::new(),
            idle: BTreeSet::new(),
            errors: Vec::new(),
        }
    }

    fn finish(mut self, rng: &mut dyn CryptoRng) -> Result<Answers, Vec<FieldError>> {
        self.unknown();
        let params = &self.manifest.params;
        for param in params {
            self.plain(param, rng);
        }
        let context = self.context();
        for param in params {
            self.condition(param, &context);
        }
        for param in params {
            self.derived(param, rng);
        }
        if self.errors.is_empty() {
            return Ok(self.answers());
        }
        let errors = self.errors.into_iter();
        Err(errors
            .map(|(name, message)| FieldError::new(&name, message))
            .collect())
    }

    fn unknown(&mut self) {
        let names: Vec<&str> = self
            .manifest
            .params
            .iter()
            .map(|p| p.name.as_str())
            .collect();
        for key in self
            .given
            .keys()
            .filter(|key| !names.contains(&key.as_str()))
        {
            let hint = text::nearest(key, &names)
                .map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
            self.errors
                .push((key.clone(), format!("There is no such parameter.{hint}")));
        }
    }

    /// What was given; an empty field of a form counts as nothing unless empty text is a value.
    fn given(&self, param: &Param) -> Option<&'m Value> {
        let value = self
            .given
            .get(&param.name)
            .filter(|value| !value.is_null())?;
        let empty_means_nothing = param.generate.is_some()
            || !matches!(param.kind, Kind::String | Kind::Text | Kind::Multi);
        (!(value == "" && empty_means_nothing)).then_some(value)
    }

    fn previous(&self, param: &Param) -> Option<&'m Value> {
        self.previous?
            .values
            .get(&param.name)
            .map(|answer| &answer.value)
    }

    /// Everything but what is derived from others.
    fn plain(&mut self, param: &Param, rng: &mut dyn CryptoRng) {
        let previous = self.previous(param);
        if let Some(value) = self.given(param) {
            match param::check(param, value) {
                Err(wrong) => self.wrong(param, &wrong),
                Ok(value) if param.immutable && previous.is_some_and(|p| *p != value) => {
                    self.wrong(param, "cannot be changed after the first deployment");
                    drop(value);
                }
                Ok(value) if param.required && value == "" => {
                    self.wrong(param, "must not be empty");
                }
                Ok(value) => {
                    self.values.insert(param.name.clone(), value);
                }
            }
        } else if let Some(value) = previous {
            // What is written to `.env` must fit the entry of today.
            match param::check(param, value) {
                Ok(value) => {
                    self.values.insert(param.name.clone(), value);
                }
                Err(wrong) => self.wrong(param, &wrong),
            }
        } else if let Some(generate) = &param.generate {
            if generate.needs().is_none() {
                let value = generate.make(&param.name, "", rng);
                self.values.insert(param.name.clone(), Value::from(value));
            }
        } else if let Some(default) = &param.default {
            self.values.insert(param.name.clone(), default.clone());
        } else if param.required {
            self.wrong(param, "is required");
        }
    }

    fn wrong(&mut self, param: &Param, wrong: &str) {
        self.errors
            .push((param.name.clone(), format!("{} {wrong}.", param.label)));
    }

    fn context(&self) -> Value {
        let all = self.manifest.params.iter();
        let params: Map<String, Value> = all
            .map(|p| {
                (
                    p.name.clone(),
                    self.values.get(&p.name).cloned().unwrap_or_default(),
                )
            })
            .collect();
        json!({ "params": params })
    }

    /// A parameter whose condition is false has its default or nothing, whatever else was thought of it.
    fn condition(&mut self, param: &'m Param, context: &Value) {
        let Some(when) = &param.when else {
            return;
        };
        match template::is_true(when, context) {
            Ok(true) => {}
            Ok(false) => {
                self.errors.retain(|(name, _)| *name != param.name);
                self.values.remove(&param.name);
                self.idle.insert(&param.name);
                if self.given(param).is_some() {
                    self.wrong(param, "does not apply with these answers");
                } else if let Some(default) = &param.default {
                    self.values.insert(param.name.clone(), default.clone());
                }
            }
            Err(message) => {
                let name = param.name.clone();
                self.errors.push((
                    name,
                    format!("Its condition cannot be evaluated: {message}."),
                ));
            }
        }
    }

    fn derived(&mut self, param: &Param, rng: &mut dyn CryptoRng) {
        let Some((generate, needs)) = param.generate.as_ref().and_then(|g| Some((g, g.needs()?)))
        else {
            return;
        };
        if self.values.contains_key(&param.name) || self.idle.contains(param.name.as_str()) {
            return;
        }
        match self.values.get(needs) {
            Some(other) => {
                let value = generate.make(&param.name, &param::text(other), rng);
                self.values.insert(param.name.clone(), Value::from(value));
            }
            None => self.wrong(param, &format!("is made from {needs}, which has no value")),
        }
    }

    fn answers(self) -> Answers {
        let secret = |name: &str| self.manifest.param(name).is_some_and(Param::is_secret);
        let values = self.values.into_iter().map(|(name, value)| {
            let secret = secret(&name);
            (name, Answer { value, secret })
        });
        Answers {
            values: values.collect(),
        }
    }
}
