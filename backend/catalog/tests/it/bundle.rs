//! What an app was deployed from outlives changes of the catalog.

use catalog::{Bundle, Manifest};

use crate::support::{COMPOSE, container, files, first_party, rng};

#[test]
fn a_bundle_is_the_same_entry_again() {
    for app in first_party().apps() {
        let bundle = app.bundle();
        let stored = serde_json::to_string(&bundle).unwrap();
        let again: Bundle = serde_json::from_str(&stored).unwrap();
        assert_eq!(again, bundle);
        let restored = Manifest::from_bundle(&again).unwrap();
        assert_eq!(restored.digest(), app.digest());
        assert_eq!(
            serde_json::to_value(&restored).unwrap(),
            serde_json::to_value(app).unwrap()
        );
        let answers = app.resolve(&serde_json::Map::new(), &mut rng()).unwrap();
        assert_eq!(
            restored.render(&answers, &container()).unwrap(),
            app.render(&answers, &container()).unwrap()
        );
    }
}

#[test]
fn the_digest_sees_every_change() {
    let digest =
        |pairs: [(&str, &str); 2]| Manifest::from_files("app", files(pairs)).unwrap().digest();
    let one = digest([("compose.yaml", COMPOSE), ("files/a", "x")]);
    assert_eq!(one, digest([("compose.yaml", COMPOSE), ("files/a", "x")]));
    assert_ne!(one, digest([("compose.yaml", COMPOSE), ("files/a", "y")]));
    assert_ne!(one, digest([("compose.yaml", COMPOSE), ("files/ax", "")]));
    assert_eq!(one.len(), 64);
}
