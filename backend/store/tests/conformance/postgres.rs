//! Schemas of one PostgreSQL server.

use sea_orm::{ConnectionTrait as _, Database};

use crate::server::Postgres;

/// Makes a schema and answers the address under which it is all that there is. (A whole database for each case
/// would be three hundred files each.)
pub(crate) async fn schema(server: &Postgres, name: &str) -> String {
    let socket = server.folder().display();
    let url = format!("postgres://postgres@localhost/postgres?host={socket}");
    let database = Database::connect(&url).await.unwrap();
    database
        .execute_unprepared(&format!("CREATE SCHEMA {name}"))
        .await
        .unwrap();
    database.close().await.unwrap();
    format!("{url}&options[search_path]={name}")
}
