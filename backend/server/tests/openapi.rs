//! The API's description is a promise: a change of it is a decision that somebody reviews.

#[test]
fn the_description_is_as_it_was_promised() {
    let mut document = serde_json::to_value(server::document()).unwrap();
    document["info"]["version"] = "the crate's".into();
    insta::assert_json_snapshot!(document);
}
