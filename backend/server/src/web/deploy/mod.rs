//! The page of a catalog entry: what it is, the form that deploys it, and beside it the plan that would run.

mod form;
mod plan;

use api::{CatalogDetail, Deploy, FieldError, Plan};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use control::{Control, PlanDigest, Planned};
use serde::Serialize;
use uuid::Uuid;

use self::{form::Form, plan::PlanView};
use super::{
    Viewer, catalog,
    live::Patch,
    markdown,
    page::Head,
    picture,
    posted::{Fields, Posted, on_to},
    state::Badge,
};
use crate::{
    error::Error,
    extract::{CatalogId, Read, Segment, Write},
    site::Site,
};

#[derive(Serialize)]
struct View {
    id: String,
    name: String,
    version: String,
    tagline: String,
    picture: String,
    about: String,
    facts: Vec<(&'static str, String)>,
    links: Vec<(String, String)>,
    fit: Badge,
    form: Form,
    plan: PlanView,
    /// What the form is sent under, so that it deploys once.
    key: String,
    /// What to say above the form.
    notice: Option<String>,
}

/// `GET /catalog/{id}`.
pub(crate) async fn page(
    State(site): State<Site>,
    viewer: Viewer<Read>,
    Segment(CatalogId(id)): Segment<CatalogId>,
) -> Result<Response, Error> {
    let detail = site.control.catalog_app(&id)?;
    let typed = Fields::default();
    let drawn = draft(&site.control, &detail, &typed).await?;
    // Nobody has typed anything that could be wrong.
    let form = Form::of(&site.control, &detail, &typed, &[]);
    show(&site.control, &viewer, detail, form, drawn.plan, None)
}

/// `POST /parts/plan/{id}`: the plan and what is wrong with the fields, as somebody types.
pub(crate) async fn part(
    State(site): State<Site>,
    Segment(CatalogId(id)): Segment<CatalogId>,
    posted: Posted<Read>,
) -> Result<Json<Patch>, Error> {
    let detail = site.control.catalog_app(&id)?;
    let Posted { viewer, fields } = posted;
    let drawn = draft(&site.control, &detail, &fields).await?;
    let form = Form::of(&site.control, &detail, &fields, &drawn.errors);
    let mut patch = Patch::default();
    for field in form.all() {
        let html = viewer.fragment("ui.wrong", &field.wrong())?;
        patch = patch.replace(format!("{}-error", field.id), html);
    }
    let html = viewer.fragment("deploy.plan", &Of { of: drawn.plan })?;
    Ok(Json(patch.replace("plan", html)))
}

/// `POST /catalog/{id}`: deploys as the plan said, or shows the form again with what stands against it.
pub(crate) async fn deploy(
    State(site): State<Site>,
    Segment(CatalogId(id)): Segment<CatalogId>,
    posted: Posted<Write>,
) -> Result<Response, Error> {
    let control = &site.control;
    let detail = control.catalog_app(&id)?;
    let Posted { viewer, fields } = posted;
    let (request, errors) = form::request(&detail, &fields);
    let only_look = fields.is_ticked("look");
    let agreed = fields.text("plan_node").zip(fields.text("plan_digest"));
    let outcome = match agreed {
        _ if !errors.is_empty() => Refused::fields(errors).into(),
        Some((node, digest)) if !only_look => {
            begin(control, &viewer, request, node, digest).await?
        }
        _ => look(control, &viewer, request, only_look).await?,
    };
    let refused = match outcome {
        Outcome::Begun(operation) => return Ok(on_to(&format!("/operations/{operation}"))),
        Outcome::Refused(refused) => refused,
    };
    let drawn = match refused.plan {
        Some(plan) => PlanView::of(&plan, &detail, &fields),
        None => draft(control, &detail, &fields).await?.plan,
    };
    let form = Form::of(control, &detail, &fields, &refused.errors);
    let mut answer = show(control, &viewer, detail, form, drawn, refused.notice)?;
    *answer.status_mut() = refused.status;
    Ok(answer)
}

/// What became of a form.
enum Outcome {
    Begun(api::OperationId),
    Refused(Refused),
}

/// Why nothing was begun.
struct Refused {
    status: StatusCode,
    errors: Vec<FieldError>,
    notice: Option<String>,
    plan: Option<Box<Plan>>,
}

impl Refused {
    fn fields(errors: Vec<FieldError>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            errors,
            notice: None,
            plan: None,
        }
    }

    fn because(status: StatusCode, notice: String) -> Self {
        Self {
            status,
            errors: Vec::new(),
            notice: Some(notice),
            plan: None,
        }
    }
}

impl From<Refused> for Outcome {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

async fn begin(
    control: &Control,
    viewer: &Viewer<Write>,
    request: Deploy,
    node: &str,
    digest: &str,
) -> Result<Outcome, Error> {
    let Ok(digest) = digest.parse::<PlanDigest>();
    let planned = control
        .deploy_as_planned(&viewer.asked, request, node, &digest)
        .await;
    Ok(match planned {
        Ok(Planned::Begun(deployed)) => Outcome::Begun(deployed.operation.id),
        Ok(Planned::Changed { plan, why }) => Refused {
            plan: Some(plan),
            ..Refused::because(
                StatusCode::CONFLICT,
                format!("Nothing was started. {why} Beside the form is the plan as it is now."),
            )
        }
        .into(),
        Err(error) => refused(error)?.into(),
    })
}

/// Somebody asked for the plan, or had none to agree to.
async fn look(
    control: &Control,
    viewer: &Viewer<Write>,
    request: Deploy,
    only_look: bool,
) -> Result<Outcome, Error> {
    Ok(match control.plan(&viewer.asked, request).await {
        Ok(plan) => Refused {
            status: if only_look {
                StatusCode::OK
            } else {
                StatusCode::CONFLICT
            },
            errors: Vec::new(),
            notice: (!only_look).then(|| {
                "Nothing was started yet: look at the plan, and send the form again to run it."
                    .to_owned()
            }),
            plan: Some(Box::new(plan)),
        }
        .into(),
        Err(error) => refused(error)?.into(),
    })
}

/// What the form says about an error; those that are none of its business go on.
fn refused(error: control::Error) -> Result<Refused, Error> {
    Ok(match error {
        control::Error::Invalid { errors } => Refused::fields(errors),
        control::Error::NameTaken { name } => Refused::fields(vec![FieldError {
            pointer: "/name".to_owned(),
            message: format!("There is an app named {name} already."),
        }]),
        control::Error::IdempotencyMismatch => Refused::because(
            StatusCode::CONFLICT,
            "This form was sent before with other answers. Nothing was started now; send it again to deploy another one.".to_owned(),
        ),
        error @ control::Error::Unavailable(_) => Refused::because(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("Nothing was started. {}", error.detail()),
        ),
        error => return Err(error.into()),
    })
}

/// The plan as far as it can be made, and what is wrong with the fields.
struct Drawn {
    plan: PlanView,
    errors: Vec<FieldError>,
}

async fn draft(control: &Control, detail: &CatalogDetail, fields: &Fields) -> Result<Drawn, Error> {
    let overview = control.overview();
    let (request, mut errors) = form::request(detail, fields);
    let plan = match control.draft(request, &overview).await {
        Ok(plan) => plan,
        Err(control::Error::Invalid { errors: found }) => {
            errors.extend(found);
            None
        }
        Err(error) => return Err(error.into()),
    };
    let plan = match plan {
        Some(plan) if errors.is_empty() => PlanView::of(&plan, detail, fields),
        _ => PlanView::none(!errors.is_empty(), detail, fields),
    };
    Ok(Drawn { plan, errors })
}

/// The argument of a component.
#[derive(Serialize)]
struct Of<T> {
    of: T,
}

fn show<N: crate::extract::Needs>(
    control: &Control,
    viewer: &Viewer<N>,
    detail: CatalogDetail,
    form: Form,
    plan: PlanView,
    notice: Option<String>,
) -> Result<Response, Error> {
    let (fit, _) = catalog::fit(control.fit(&control.overview(), &detail.app.id));
    let links = detail.links.iter().filter(|(_, to)| markdown::is_web(to));
    let mut facts = vec![
        ("Version", detail.app.version.clone()),
        ("Needs", catalog::needs(&detail.app.resources)),
    ];
    if let Some(licence) = &detail.licence {
        facts.push(("Licence", licence.clone()));
    }
    if !detail.architectures.is_empty() {
        facts.push(("Runs on", detail.architectures.join(", ")));
    }
    let view = View {
        picture: picture::address(&detail.app.id),
        about: markdown::html(&detail.readme),
        links: links.map(|(name, to)| (name.clone(), to.clone())).collect(),
        facts,
        fit,
        form,
        plan,
        key: Uuid::now_v7().simple().to_string(),
        notice,
        id: detail.app.id,
        name: detail.app.name.clone(),
        version: detail.app.version,
        tagline: detail.app.tagline,
    };
    let head = Head::new(format!("Deploy {}", detail.app.name)).under("catalog");
    Ok(viewer.show("deploy.html", head, &view)?.into_response())
}
