//! The API's own description, made from the routes themselves.

use std::sync::LazyLock;

use bytes::Bytes;
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr,
    ResponseBuilder, Responses,
    path::{Operation, ParameterIn},
    security::{
        ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
    },
    tag::TagBuilder,
};

use crate::{problem, router};

const DESCRIPTION: &str = "Deploys apps from a catalog onto a Proxmox VE cluster, each in a container of its own.

JSON in `snake_case`, times as RFC 3339 in UTC, sizes in bytes. Lists are pages: `next`, where there is one, is the \
`cursor` of the next page. What takes long answers 202 with the address of an operation in `Location`; follow its \
events, or look at it now and then. Every error is a problem (RFC 9457); `code` is for programs, `detail` for people, \
and `request_id` for whoever reads the service's log.";

const TAGS: [(&str, &str); 9] = [
    ("sessions", "Logging in and out."),
    ("tokens", "Tokens for scripts."),
    ("audit", "Who did what."),
    ("catalog", "What can be deployed."),
    ("apps", "What is deployed."),
    ("operations", "What is being done, and what was done."),
    ("events", "What happens, as it happens."),
    ("cluster", "Where apps run."),
    ("service", "Proximity itself."),
];

/// The description (OpenAPI 3.1) of every route.
pub fn document() -> OpenApi {
    let mut document = router::routes().into_openapi();
    for item in document.paths.paths.values_mut() {
        complete(item);
    }
    document
}

/// [`document`] as JSON, made once.
pub(crate) fn json() -> Bytes {
    static JSON: LazyLock<Bytes> = LazyLock::new(|| {
        let text = document()
            .to_json()
            .expect("the document has text as keys and writes itself without failing");
        Bytes::from(text)
    });
    JSON.clone()
}

/// What the routes are put into: who we are, and how one shows who one is.
pub(crate) fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Proximity")
        .description(Some(DESCRIPTION))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ))
        .build();
    let tags = TAGS.map(|(name, description)| {
        TagBuilder::new()
            .name(name)
            .description(Some(description))
            .build()
    });
    let mut document = OpenApiBuilder::new().info(info).tags(Some(tags)).build();
    let components = document.components.get_or_insert_default();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API token: `Authorization: Bearer prx_…`."))
        .build();
    let session = ApiKeyValue::with_description(
        "proximity_session",
        "The cookie of `POST /api/v1/sessions`. Writes carry `X-CSRF-Token` besides.",
    );
    components.add_security_scheme("token", SecurityScheme::Http(token));
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    document.security = Some(vec![
        SecurityRequirement::new::<_, [&str; 0], &str>("token", []),
        SecurityRequirement::new::<_, [&str; 0], &str>("session", []),
    ]);
    document.components.get_or_insert_default().schemas.extend([
        named::<api::Problem>(),
        named::<api::FieldError>(),
        named::<api::ImageProgress>(),
    ]);
    document
}

fn named<T: utoipa::ToSchema>() -> (String, RefOr<utoipa::openapi::Schema>) {
    (T::name().into_owned(), T::schema())
}

/// Adds to each operation the answers that layers and extractors can give for it, and to each error its body.
fn complete(item: &mut PathItem) {
    let read = [&mut item.get]
        .into_iter()
        .flatten()
        .map(|operation| (operation, false));
    let write = [
        &mut item.post,
        &mut item.put,
        &mut item.delete,
        &mut item.patch,
    ];
    let write = write
        .into_iter()
        .flatten()
        .map(|operation| (operation, true));
    for (operation, is_write) in read.chain(write) {
        for (status, description) in usual(operation, is_write) {
            let answers = &mut operation.responses.responses;
            let usual = || {
                ResponseBuilder::new()
                    .description(description)
                    .build()
                    .into()
            };
            answers.entry(status.to_owned()).or_insert_with(usual);
        }
        give_bodies(&mut operation.responses);
        name(operation);
    }
}

/// A status and what it means.
type Meaning = (&'static str, &'static str);

/// Answers to a body that is not what it should be.
const BODY: [Meaning; 4] = [
    ("400", "The body, the query or a header is malformed."),
    ("413", "The body is larger than 1 MiB."),
    ("415", "The body was not sent as JSON."),
    (
        "422",
        "Fields are missing, unknown or wrong; `errors` names them.",
    ),
];
/// The answer to other parameters that are not what they should be.
const PARAMETERS: Meaning = ("400", "The query or a header is malformed.");
/// Answers to those who are not known, or may not.
const CLOSED: [Meaning; 2] = [
    ("401", "Nobody is logged in, or the token is not valid."),
    ("503", "The database does not answer."),
];
const READ: Meaning = ("403", "A scope is missing.");
const WRITE: Meaning = ("403", "A scope or the CSRF token is missing.");
/// Answers that can come from anywhere.
const ALWAYS: [Meaning; 2] = [
    ("500", "A fault of Proximity."),
    ("504", "It took too long."),
];

/// Answers that follow from what an operation takes.
fn usual(operation: &Operation, is_write: bool) -> Vec<Meaning> {
    let takes = |place: ParameterIn| {
        operation.parameters.iter().flatten().any(
            |parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == place),
        )
    };
    let mut usual = ALWAYS.to_vec();
    if operation.request_body.is_some() {
        usual.extend(BODY);
    } else if takes(ParameterIn::Query) || takes(ParameterIn::Header) {
        usual.push(PARAMETERS);
    }
    if operation.security.is_none() {
        usual.extend(CLOSED);
        usual.push(if is_write { WRITE } else { READ });
    }
    usual
}

/// Whether an answer means what it means for every other operation too.
pub(crate) fn is_usual(status: &str, description: &str) -> bool {
    let all = BODY
        .iter()
        .chain(&CLOSED)
        .chain(&ALWAYS)
        .chain([&PARAMETERS, &READ, &WRITE]);
    all.into_iter().any(|usual| *usual == (status, description))
}

/// Makes the operation's name unique: files name their handlers by what they do, `list`, `show`.
fn name(operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next();
    if let (Some(tag), Some(name)) = (tag, &operation.operation_id) {
        operation.operation_id = Some(format!("{tag}_{name}"));
    }
}

/// Gives every error answer its body.
fn give_bodies(responses: &mut Responses) {
    for (status, response) in &mut responses.responses {
        let is_error = status.starts_with('4') || status.starts_with('5');
        if let (true, RefOr::T(response)) = (is_error, response) {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build();
            response
                .content
                .entry(problem::MEDIA_TYPE.to_owned())
                .or_insert(content.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn operations() -> Vec<(String, Value)> {
        let document: Value = serde_json::from_slice(&json()).unwrap();
        let paths = document["paths"].as_object().unwrap().clone();
        let operations = paths.into_iter().flat_map(|(path, item)| {
            let item = item.as_object().unwrap().clone();
            item.into_iter()
                .map(move |(method, operation)| (format!("{method} {path}"), operation))
        });
        operations.collect()
    }

    #[test]
    fn only_logging_in_and_health_are_open() {
        let open = operations()
            .into_iter()
            .filter(|(_, operation)| operation.get("security").is_some());
        let open: Vec<String> = open.map(|(name, _)| name).collect();
        assert_eq!(
            open,
            ["post /api/v1/sessions", "get /healthz", "get /readyz"]
        );
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let names: Vec<String> = operations()
            .into_iter()
            .map(|(_, operation)| operation["operationId"].to_string())
            .collect();
        let unique: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(names.len(), unique.len(), "{names:?}");
        assert!(unique.contains(&"\"apps_list\"".to_owned()));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document: Value = serde_json::from_slice(&json()).unwrap();
        let schemas = &document["components"]["schemas"];
        let text = document.to_string();
        let references = text
            .split("\"#/components/schemas/")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap());
        let mut seen = 0;
        for name in references {
            assert!(schemas.get(name).is_some(), "{name} is not described");
            seen += 1;
        }
        assert!(seen > 50);
    }

    #[test]
    fn every_error_has_a_problem_for_its_body() {
        let mut seen = 0;
        for (name, operation) in operations() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                if status.starts_with(['4', '5']) {
                    let schema = &answer["content"][problem::MEDIA_TYPE]["schema"]["$ref"];
                    assert_eq!(schema, "#/components/schemas/Problem", "{name} {status}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 50);
    }
}
