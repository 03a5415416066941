//! The JSON API, one file per noun. A handler takes out of the request what it needs, asks the application
//! once and answers with a type of the crate `api`.

mod accepted;
mod apps;
mod audit;
mod catalog;
mod containers;
mod description;
mod doctor;
mod events;
mod logs;
mod nodes;
mod operations;
mod sessions;
mod settings;
mod status;
mod tokens;

pub(crate) use events::last_event_id;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::site::Site;

/// The table of contents of `/api/v1`.
pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::default()
        .routes(routes!(sessions::log_in))
        .routes(routes!(sessions::current, sessions::log_out))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(audit::list))
        .routes(routes!(catalog::list))
        .routes(routes!(catalog::check))
        .routes(routes!(catalog::show))
        .routes(routes!(apps::list, apps::deploy))
        .routes(routes!(apps::show, apps::delete))
        .routes(routes!(apps::start))
        .routes(routes!(apps::stop))
        .routes(routes!(apps::restart))
        .routes(routes!(logs::read))
        .routes(routes!(operations::list, operations::begin))
        .routes(routes!(operations::show))
        .routes(routes!(operations::cancel))
        .routes(routes!(operations::retry))
        .routes(routes!(operations::abandon))
        .routes(routes!(status::status))
        .routes(routes!(status::park))
        .routes(routes!(status::resume))
        .routes(routes!(events::of_operation))
        .routes(routes!(events::of_all))
        .routes(routes!(settings::list))
        .routes(routes!(doctor::examine))
        .routes(routes!(nodes::list))
        .routes(routes!(containers::last, containers::reconcile))
        .routes(routes!(containers::adopt))
        .routes(routes!(nodes::storages))
        .routes(routes!(description::openapi))
}
