//! `$name`, `$1`, `"$@"` and the forms of `${…}`.

use brush_parser::word::{Parameter, ParameterExpr, ParameterTestType, SpecialParameter};

use super::expand::Part;
use super::{Shell, Stop};
use crate::unix::glob;

impl Shell {
    pub(super) async fn parameter(
        &mut self,
        expression: &ParameterExpr,
        in_quotes: bool,
    ) -> Result<Vec<Part>, Stop> {
        match expression {
            ParameterExpr::Parameter { parameter, .. } => self.plain(parameter, in_quotes).await,
            ParameterExpr::UseDefaultValues {
                parameter,
                test_type,
                default_value,
                ..
            } => {
                if self.is_there(parameter, test_type).await? {
                    return self.plain(parameter, in_quotes).await;
                }
                self.word_parts(default_value.as_deref(), in_quotes).await
            }
            ParameterExpr::UseAlternativeValue {
                parameter,
                test_type,
                alternative_value,
                ..
            } => {
                if !self.is_there(parameter, test_type).await? {
                    return Ok(Vec::new());
                }
                self.word_parts(alternative_value.as_deref(), in_quotes)
                    .await
            }
            ParameterExpr::AssignDefaultValues {
                parameter,
                test_type,
                default_value,
                ..
            } => {
                if !self.is_there(parameter, test_type).await? {
                    let value = self
                        .one_string(default_value.as_deref().unwrap_or_default())
                        .await?;
                    let Parameter::Named(name) = parameter else {
                        return self.bad_substitution().await;
                    };
                    self.assign(name, value).await?;
                }
                self.plain(parameter, in_quotes).await
            }
            ParameterExpr::IndicateErrorIfNullOrUnset {
                parameter,
                test_type,
                error_message,
                ..
            } => {
                if self.is_there(parameter, test_type).await? {
                    return self.plain(parameter, in_quotes).await;
                }
                let message = match error_message.as_deref() {
                    None | Some("") => "parameter not set".to_owned(),
                    Some(message) => self.one_string(message).await?,
                };
                self.complain(&format!("{}: {message}", bare(parameter)))
                    .await;
                Err(Stop::Exit(2))
            }
            other => self.transformed(other, in_quotes).await,
        }
    }

    /// The forms that make something else of a value.
    async fn transformed(
        &mut self,
        expression: &ParameterExpr,
        in_quotes: bool,
    ) -> Result<Vec<Part>, Stop> {
        match expression {
            ParameterExpr::ParameterLength { parameter, .. } => {
                let value = self.value(parameter).await?.unwrap_or_default();
                Ok(vec![text(value.chars().count().to_string(), in_quotes)])
            }
            ParameterExpr::RemoveSmallestSuffixPattern {
                parameter, pattern, ..
            } => {
                self.trimmed(parameter, pattern.as_deref(), in_quotes, shortest_suffix)
                    .await
            }
            ParameterExpr::RemoveLargestSuffixPattern {
                parameter, pattern, ..
            } => {
                self.trimmed(parameter, pattern.as_deref(), in_quotes, longest_suffix)
                    .await
            }
            ParameterExpr::RemoveSmallestPrefixPattern {
                parameter, pattern, ..
            } => {
                self.trimmed(parameter, pattern.as_deref(), in_quotes, shortest_prefix)
                    .await
            }
            ParameterExpr::RemoveLargestPrefixPattern {
                parameter, pattern, ..
            } => {
                self.trimmed(parameter, pattern.as_deref(), in_quotes, longest_prefix)
                    .await
            }
            ParameterExpr::Substring {
                parameter,
                offset,
                length,
                ..
            } => {
                let offset = self.arithmetic(&offset.value).await?;
                let length = match length {
                    Some(length) => Some(self.arithmetic(&length.value).await?),
                    None => None,
                };
                let value = self.value(parameter).await?.unwrap_or_default();
                Ok(vec![text(substring(&value, offset, length), in_quotes)])
            }
            ParameterExpr::ReplaceSubstring {
                parameter,
                pattern,
                replacement,
                match_kind,
                ..
            } => {
                let everywhere =
                    matches!(match_kind, brush_parser::word::SubstringMatchKind::Anywhere);
                let pattern = self.pattern(pattern).await?;
                let replacement = self
                    .one_string(replacement.as_deref().unwrap_or_default())
                    .await?;
                let value = self.value(parameter).await?.unwrap_or_default();
                Ok(vec![text(
                    replace(&value, &pattern, &replacement, everywhere),
                    in_quotes,
                )])
            }
            _ => self.bad_substitution().await,
        }
    }

    async fn bad_substitution<T>(&mut self) -> Result<T, Stop> {
        self.complain("syntax error: bad substitution").await;
        Err(Stop::Exit(2))
    }

    /// The word after an operator; inside quotes it stays one piece.
    async fn word_parts(&mut self, word: Option<&str>, in_quotes: bool) -> Result<Vec<Part>, Stop> {
        let parts = self.parts(word.unwrap_or_default(), in_quotes).await?;
        Ok(parts
            .into_iter()
            .map(|part| match part {
                // What is written after the operator is split like the value would have been.
                Part::Literal(text) => Part::Loose(text),
                part => part,
            })
            .collect())
    }

    async fn trimmed(
        &mut self,
        parameter: &Parameter,
        pattern: Option<&str>,
        in_quotes: bool,
        trim: fn(&str, &str) -> String,
    ) -> Result<Vec<Part>, Stop> {
        let pattern = self.pattern(pattern.unwrap_or_default()).await?;
        let value = self.value(parameter).await?.unwrap_or_default();
        Ok(vec![text(trim(&value, &pattern), in_quotes)])
    }

    async fn plain(&mut self, parameter: &Parameter, in_quotes: bool) -> Result<Vec<Part>, Stop> {
        let Parameter::Special(SpecialParameter::AllPositionalParameters { concatenate }) =
            parameter
        else {
            let value = self.value(parameter).await?;
            if value.is_none() && self.options.nounset {
                self.complain(&format!("{}: parameter not set", bare(parameter)))
                    .await;
                return Err(Stop::Exit(2));
            }
            return Ok(vec![text(value.unwrap_or_default(), in_quotes)]);
        };
        if *concatenate && in_quotes {
            let separator = self.get("IFS").map_or(Some(' '), |ifs| ifs.chars().next());
            let separator = separator.map_or_else(String::new, String::from);
            return Ok(vec![Part::Quoted(self.args.join(&separator))]);
        }
        let mut parts = Vec::new();
        for (number, argument) in self.args.iter().enumerate() {
            if number > 0 {
                parts.push(if in_quotes {
                    Part::Border
                } else {
                    Part::Loose(" ".to_owned())
                });
            }
            parts.push(text(argument.clone(), in_quotes));
        }
        Ok(parts)
    }

    async fn is_there(
        &mut self,
        parameter: &Parameter,
        test: &ParameterTestType,
    ) -> Result<bool, Stop> {
        let value = self.value(parameter).await?;
        Ok(match test {
            ParameterTestType::Unset => value.is_some(),
            ParameterTestType::UnsetOrNull => value.is_some_and(|value| !value.is_empty()),
        })
    }

    async fn value(&mut self, parameter: &Parameter) -> Result<Option<String>, Stop> {
        let special = match parameter {
            Parameter::Named(name) => return Ok(self.get(name).map(str::to_owned)),
            Parameter::Positional(0) => return Ok(Some(self.name.clone())),
            Parameter::Positional(number) => {
                return Ok(self.args.get(*number as usize - 1).cloned());
            }
            Parameter::Special(special) => special,
            Parameter::NamedWithIndex { .. } | Parameter::NamedWithAllIndices { .. } => {
                return self.bad_substitution().await;
            }
        };
        Ok(match special {
            SpecialParameter::AllPositionalParameters { .. } => {
                (!self.args.is_empty()).then(|| self.args.join(" "))
            }
            SpecialParameter::PositionalParameterCount => Some(self.args.len().to_string()),
            SpecialParameter::LastExitStatus => Some(self.status.to_string()),
            SpecialParameter::CurrentOptionFlags => Some(self.letters()),
            SpecialParameter::ProcessId => Some(self.pid.to_string()),
            SpecialParameter::LastBackgroundProcessId => Some(
                self.last_background
                    .map_or_else(String::new, |pid| pid.to_string()),
            ),
            SpecialParameter::ShellName => Some(self.name.clone()),
        })
    }
}

fn text(value: String, in_quotes: bool) -> Part {
    if in_quotes {
        Part::Quoted(value)
    } else {
        Part::Loose(value)
    }
}

/// A parameter's name as error messages write it.
fn bare(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Named(name) => name.clone(),
        Parameter::Positional(number) => number.to_string(),
        Parameter::Special(special) => special.to_string(),
        other => other.to_string(),
    }
}

/// Places between characters, from the start.
fn borders(value: &str) -> Vec<usize> {
    let mut borders: Vec<usize> = value.char_indices().map(|(at, _)| at).collect();
    borders.push(value.len());
    borders
}

fn shortest_prefix(value: &str, pattern: &str) -> String {
    let cut = borders(value)
        .into_iter()
        .find(|&at| glob::matches(pattern, &value[..at]));
    value[cut.unwrap_or(0)..].to_owned()
}

fn longest_prefix(value: &str, pattern: &str) -> String {
    let cut = borders(value)
        .into_iter()
        .rev()
        .find(|&at| glob::matches(pattern, &value[..at]));
    value[cut.unwrap_or(0)..].to_owned()
}

fn shortest_suffix(value: &str, pattern: &str) -> String {
    let cut = borders(value)
        .into_iter()
        .rev()
        .find(|&at| glob::matches(pattern, &value[at..]));
    value[..cut.unwrap_or(value.len())].to_owned()
}

fn longest_suffix(value: &str, pattern: &str) -> String {
    let cut = borders(value)
        .into_iter()
        .find(|&at| glob::matches(pattern, &value[at..]));
    value[..cut.unwrap_or(value.len())].to_owned()
}

/// `${x:offset:length}` counted in characters, from the end where negative.
fn substring(value: &str, offset: i64, length: Option<i64>) -> String {
    let characters: Vec<char> = value.chars().collect();
    let count = i64::try_from(characters.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 {
        (count + offset).max(0)
    } else {
        offset.min(count)
    };
    let end = match length {
        Some(length) if length < 0 => (count + length).max(start),
        Some(length) => start.saturating_add(length).min(count),
        None => count,
    };
    let (start, end) = (
        usize::try_from(start).unwrap_or(0),
        usize::try_from(end).unwrap_or(0),
    );
    characters[start..end].iter().collect()
}

/// `${x/pattern/replacement}`, as ash has it too.
fn replace(value: &str, pattern: &str, replacement: &str, everywhere: bool) -> String {
    let borders = borders(value);
    let mut result = String::new();
    let mut at = 0;
    while at < borders.len() {
        let from = borders[at];
        let end = (at + 1..borders.len())
            .rev()
            .find(|&end| glob::matches(pattern, &value[from..borders[end]]));
        if let Some(end) = end {
            result.push_str(replacement);
            at = end;
            if !everywhere {
                break;
            }
        } else {
            let next = borders.get(at + 1).copied().unwrap_or(value.len());
            result.push_str(&value[from..next]);
            at += 1;
        }
    }
    result.push_str(borders.get(at).map_or("", |&from| &value[from..]));
    result
}
