//! The form: made from the entry's parameters, read back into a request. A field's name is the JSON pointer of what it
//! sets, so that the application's word on a field finds its place.

use api::{CatalogDetail, CatalogParameter, Deploy, FieldError, Network, Resources};
use control::Control;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::web::posted::Fields;

/// Where parameters are in a request.
const PARAMETERS: &str = "/parameters/";
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The form as it is shown.
#[derive(Serialize)]
pub(super) struct Form {
    /// What everybody is asked.
    plain: Vec<Field>,
    /// Where, and how large.
    place: Vec<Field>,
    /// What few people change.
    advanced: Vec<Field>,
    /// Whether the folded part must be open: something in it is wrong.
    unfolded: bool,
    /// Whether anything is wrong.
    is_wrong: bool,
}

/// A field.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Field {
    pub(super) id: String,
    name: String,
    label: String,
    /// `text`, `number`, `area`, `secret`, `select`, `check` or `checks`.
    control: &'static str,
    value: String,
    /// What is ticked of `checks`.
    values: Vec<String>,
    help: String,
    error: String,
    required: bool,
    options: Vec<Choice>,
    placeholder: String,
    unit: &'static str,
    /// Whether a value is made up where none is given.
    generated: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
}

/// The arguments of the component that shows what is wrong with a field.
#[derive(Serialize)]
pub(super) struct Wrong<'a> {
    id: &'a str,
    error: &'a str,
}

impl Field {
    fn new(name: &str, label: &str, control: &'static str) -> Self {
        Self {
            id: format!("f{}", name.replace('/', "-")),
            name: name.to_owned(),
            label: label.to_owned(),
            control,
            ..Self::default()
        }
    }

    fn help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.help);
        self
    }

    fn hint(mut self, placeholder: impl Into<String>) -> Self {
        self.placeholder = placeholder.into();
        self
    }

    fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// What is wrong with it.
    pub(super) fn wrong(&self) -> Wrong<'_> {
        Wrong {
            id: &self.id,
            error: &self.error,
        }
    }
}

impl Form {
    /// The form of an entry with what was typed and what is wrong with it.
    pub(super) fn of(
        control: &Control,
        detail: &CatalogDetail,
        typed: &Fields,
        errors: &[FieldError],
    ) -> Self {
        let (advanced, plain): (Vec<_>, Vec<_>) = detail
            .parameters
            .iter()
            .filter(|parameter| !parameter.hidden)
            .partition(|parameter| parameter.advanced);
        let mut form = Self {
            plain: vec![
                Field::new("/name", "Name", "text")
                    .hint(&detail.app.id)
                    .help("How you call it. Left empty, it is named after the app and numbered where that is taken."),
            ],
            place: place(control, &detail.app.resources),
            advanced: advanced.into_iter().map(parameter).collect(),
            unfolded: false,
            is_wrong: !errors.is_empty(),
        };
        form.plain.extend(plain.into_iter().map(parameter));
        form.advanced.extend(network());
        for field in form.every() {
            retype(field, typed);
            let wrong = errors.iter().find(|error| error.pointer == field.name);
            field.error = wrong
                .map(|wrong| sentence(&wrong.message))
                .unwrap_or_default();
        }
        form.unfolded = form.advanced.iter().any(|field| !field.error.is_empty());
        form
    }

    /// All fields.
    pub(super) fn all(&self) -> impl Iterator<Item = &Field> {
        self.plain.iter().chain(&self.place).chain(&self.advanced)
    }

    fn every(&mut self) -> impl Iterator<Item = &mut Field> {
        self.plain
            .iter_mut()
            .chain(&mut self.place)
            .chain(&mut self.advanced)
    }
}

fn place(control: &Control, usual: &Resources) -> Vec<Field> {
    let mut node = Field::new("/node", "Node", "select");
    let choice = |value: &str, label: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
    };
    node.options = vec![choice("", "Automatic")];
    let overview = control.overview();
    let names = overview.nodes.iter().map(|node| node.node.name.as_str());
    node.options.extend(names.map(|name| choice(name, name)));
    let number = |name, label, unit, value: u64| Field {
        value: value.to_string(),
        required: true,
        ..Field::new(name, label, "number").unit(unit)
    };
    vec![
        node,
        number(
            "/resources/cores",
            "CPU cores",
            "",
            usual.cores.unwrap_or(1).into(),
        ),
        number(
            "/resources/memory",
            "Memory",
            "MiB",
            usual.memory.unwrap_or_default() / MIB,
        ),
        number(
            "/resources/disk",
            "Disk",
            "GiB",
            usual.disk.unwrap_or_default() / GIB,
        ),
    ]
}

fn network() -> [Field; 6] {
    [
        Field::new("/resources/swap", "Swap", "number")
            .unit("MiB")
            .hint("as recommended"),
        Field::new("/network/address", "Static address", "text")
            .hint("DHCP")
            .help("With its prefix, e.g. 192.168.1.50/24."),
        Field::new("/network/gateway", "Gateway", "text").help("Of a static address."),
        Field::new("/network/nameservers", "Name servers", "text").help("Separated by spaces."),
        Field::new("/network/bridge", "Bridge", "text").hint("as in the settings"),
        Field::new("/network/vlan", "VLAN", "number").hint("none"),
    ]
}

fn parameter(parameter: &CatalogParameter) -> Field {
    let control = match parameter.kind.as_str() {
        "bool" => "check",
        "enum" => "select",
        "multi" => "checks",
        "text" => "area",
        "secret" => "secret",
        "int" | "number" | "port" => "number",
        _ => "text",
    };
    let mut help = parameter.help.clone().unwrap_or_default();
    if parameter.immutable {
        format!("{help} It cannot be changed later.")
            .trim()
            .clone_into(&mut help);
    }
    let mut field = Field::new(
        &format!("{PARAMETERS}{}", parameter.name),
        &parameter.label,
        control,
    )
    .help(&help);
    field.required = parameter.required && !parameter.generated;
    field.generated = parameter.generated;
    match &parameter.default {
        Some(Value::Array(items)) => field.values = items.iter().map(text).collect(),
        Some(value) => field.value = text(value),
        None => {}
    }
    if parameter.generated {
        "made up when left empty".clone_into(&mut field.placeholder);
    }
    field.options = parameter
        .options
        .iter()
        .map(|option| Choice {
            value: option.value.clone(),
            label: option.label.clone(),
        })
        .collect();
    if control == "select" && parameter.default.is_none() {
        let nothing = Choice {
            value: String::new(),
            label: "Choose…".to_owned(),
        };
        field.options.insert(0, nothing);
    }
    field
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Puts back what was typed; never a secret.
fn retype(field: &mut Field, typed: &Fields) {
    let mut values = typed.all(&field.name).peekable();
    if values.peek().is_none() || field.control == "secret" {
        return;
    }
    match field.control {
        "checks" => {
            field.values = values
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .collect();
        }
        // A box sends its "no" always and its "yes" after it.
        _ => values
            .last()
            .unwrap_or_default()
            .clone_into(&mut field.value),
    }
}

/// A message that begins like a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let mut sentence = first.unwrap_or_default() + letters.as_str();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// What the form asks for, and what in it cannot be read.
pub(super) fn request(detail: &CatalogDetail, typed: &Fields) -> (Deploy, Vec<FieldError>) {
    let mut errors = Vec::new();
    let given = |name: &str| typed.text(name);
    let mut number = |name: &str, unit: u64| -> Option<u64> {
        let text = given(name)?;
        let parsed = text
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(unit));
        if parsed.is_none() {
            errors.push(wrong(name, "must be a whole number"));
        }
        parsed
    };
    let resources = Resources {
        cores: number("/resources/cores", 1).map(|cores| u32::try_from(cores).unwrap_or(u32::MAX)),
        memory: number("/resources/memory", MIB),
        swap: number("/resources/swap", MIB),
        disk: number("/resources/disk", GIB),
    };
    let vlan = number("/network/vlan", 1).map(|vlan| u16::try_from(vlan).unwrap_or(u16::MAX));
    let gateway = given("/network/gateway").map(str::parse);
    if matches!(gateway, Some(Err(_))) {
        errors.push(wrong(
            "/network/gateway",
            "must be an address, e.g. 192.168.1.1",
        ));
    }
    let servers = given("/network/nameservers").unwrap_or_default();
    let servers = servers.split([' ', ',']).filter(|text| !text.is_empty());
    let servers: Result<Vec<_>, _> = servers.map(str::parse).collect();
    if servers.is_err() {
        errors.push(wrong(
            "/network/nameservers",
            "must be addresses, e.g. 192.168.1.1",
        ));
    }
    let request = Deploy {
        catalog_id: detail.app.id.clone(),
        name: given("/name").map(str::to_owned),
        parameters: parameters(detail, typed),
        node: given("/node").map(str::to_owned),
        resources,
        network: Network {
            bridge: given("/network/bridge").map(str::to_owned),
            vlan,
            address: given("/network/address").map(str::to_owned),
            gateway: gateway.and_then(Result::ok),
            nameservers: servers.unwrap_or_default(),
        },
    };
    (request, errors)
}

/// Every parameter that the form has a field for. A text that was emptied is an empty text, not the default.
fn parameters(detail: &CatalogDetail, typed: &Fields) -> Map<String, Value> {
    let mut parameters = Map::new();
    for parameter in detail
        .parameters
        .iter()
        .filter(|parameter| !parameter.hidden)
    {
        let name = format!("{PARAMETERS}{}", parameter.name);
        let values: Vec<&str> = typed.all(&name).collect();
        let Some(last) = values.last() else {
            continue;
        };
        let value = match parameter.kind.as_str() {
            "multi" => values
                .iter()
                .filter(|value| !value.is_empty())
                .map(|&value| Value::from(value))
                .collect(),
            // Line ends as a form sends them (RFC 1866, 8.2.1) are not what was typed.
            "text" => Value::from(last.replace("\r\n", "\n")),
            "secret" | "string" => Value::from(*last),
            _ => Value::from(last.trim()),
        };
        if value != "" || parameter.default.is_some() || parameter.required {
            parameters.insert(parameter.name.clone(), value);
        }
    }
    parameters
}

fn wrong(pointer: &str, message: &str) -> FieldError {
    FieldError {
        pointer: pointer.to_owned(),
        message: message.to_owned(),
    }
}
