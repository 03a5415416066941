use std::time::Duration;

use api::Scope;
use store::{AuditRecord, Error, Hidden, NewSession, NewToken, NewUser, User};

use crate::{World, world::audit};

async fn user(world: &World, name: &str) -> Result<User, Error> {
    let new = NewUser {
        name: name.to_owned(),
        password_hash: Hidden("$argon2id$one".to_owned()),
        role: "admin".to_owned(),
    };
    world.store.users().create(new, &entry()).await
}

fn entry() -> AuditRecord {
    audit("user.change", "ada")
}

fn session(user: &User, secret: u8, world: &World) -> NewSession {
    NewSession {
        user: user.id,
        secret_hash: Hidden(vec![secret; 32]),
        csrf_hash: Hidden(vec![9; 32]),
        expires_at: world.store.now() + Duration::from_hours(1),
    }
}

pub(crate) async fn users_are_unique_by_name(world: &World) {
    let users = world.store.users();
    assert_eq!(users.count().await.unwrap(), 0);
    let ada = user(world, "ada").await.unwrap();
    assert!(
        !format!("{ada:?}").contains("argon2"),
        "a hash is not shown"
    );
    assert_eq!(users.find("ada").await.unwrap().as_ref(), Some(&ada));
    assert!(matches!(user(world, "ada").await, Err(Error::NameTaken { name }) if name == "ada"));
    user(world, "bob").await.unwrap();
    assert_eq!(users.list().await.unwrap().len(), 2);
    assert_eq!(users.find("eve").await.unwrap(), None);
    // A better hash of the same password, but not over a password that was changed meanwhile.
    users
        .rehash(
            ada.id,
            &ada.password_hash,
            Hidden("$argon2id$two".to_owned()),
        )
        .await
        .unwrap();
    users
        .rehash(
            ada.id,
            &ada.password_hash,
            Hidden("$argon2id$three".to_owned()),
        )
        .await
        .unwrap();
    assert_eq!(
        users.get(ada.id).await.unwrap().password_hash.0,
        "$argon2id$two"
    );
}

pub(crate) async fn sessions_end(world: &World) {
    let (ada, sessions) = (user(world, "ada").await.unwrap(), world.store.sessions());
    let (one, two) = (
        sessions
            .create(session(&ada, 1, world), &entry())
            .await
            .unwrap(),
        session(&ada, 2, world),
    );
    sessions.create(two, &entry()).await.unwrap();
    let (found, whose) = sessions.find(&[1; 32]).await.unwrap().unwrap();
    assert_eq!((&found, &whose.name), (&one, &ada.name));
    assert_eq!(sessions.find(&[3; 32]).await.unwrap(), None);

    world.clock.advance(Duration::from_mins(30));
    let later = world.store.now() + Duration::from_hours(1);
    sessions.touch(&one, later).await.unwrap();
    let (touched, _) = sessions.find(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(
        (touched.last_seen_at, touched.expires_at),
        (world.store.now(), later)
    );
    sessions
        .touch(&touched, later + Duration::from_hours(1))
        .await
        .unwrap();
    let (same, _) = sessions.find(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(same, touched, "not every request is a write");
    sessions
        .set_csrf(one.id, &Hidden(vec![7; 32]))
        .await
        .unwrap();
    assert_eq!(
        sessions.find(&[1; 32]).await.unwrap().unwrap().0.csrf_hash,
        Hidden(vec![7; 32])
    );

    world.clock.advance(Duration::from_mins(30));
    assert_eq!(
        sessions.find(&[2; 32]).await.unwrap(),
        None,
        "it ended by itself"
    );
    assert_eq!(world.store.sweep().await.unwrap(), 1);
    sessions.end(one.id, &entry()).await.unwrap();
    sessions.end(one.id, &entry()).await.unwrap();
    assert_eq!(sessions.find(&[1; 32]).await.unwrap(), None);
}

pub(crate) async fn a_changed_password_ends_sessions(world: &World) {
    let (ada, bob) = (
        user(world, "ada").await.unwrap(),
        user(world, "bob").await.unwrap(),
    );
    let (users, sessions) = (world.store.users(), world.store.sessions());
    sessions
        .create(session(&bob, 9, world), &entry())
        .await
        .unwrap();
    for (number, change) in ["password", "role", "disabled"].into_iter().enumerate() {
        let secret = u8::try_from(number).unwrap();
        sessions
            .create(session(&ada, secret, world), &entry())
            .await
            .unwrap();
        assert!(sessions.find(&[secret; 32]).await.unwrap().is_some());
        match change {
            "password" => users
                .set_password(ada.id, Hidden("$new".to_owned()), &entry())
                .await
                .unwrap(),
            "role" => users.set_role(ada.id, "viewer", &entry()).await.unwrap(),
            _ => users.set_disabled(ada.id, true, &entry()).await.unwrap(),
        }
        assert_eq!(
            sessions.find(&[secret; 32]).await.unwrap(),
            None,
            "{change}"
        );
    }
    let ada = users.get(ada.id).await.unwrap();
    assert_eq!(
        (ada.password_hash.0.as_str(), ada.role.as_str()),
        ("$new", "viewer")
    );
    assert!(ada.disabled_at.is_some());
    sessions
        .create(session(&ada, 7, world), &entry())
        .await
        .unwrap();
    assert_eq!(
        sessions.find(&[7; 32]).await.unwrap(),
        None,
        "a disabled user has no session"
    );
    assert!(
        sessions.find(&[9; 32]).await.unwrap().is_some(),
        "another user's is untouched"
    );
}

pub(crate) async fn tokens_end_and_are_revoked(world: &World) {
    let (ada, tokens) = (user(world, "ada").await.unwrap(), world.store.tokens());
    let new = |secret: u8, hours: Option<u64>| NewToken {
        name: "ci".to_owned(),
        user: ada.id,
        secret_hash: Hidden(vec![secret; 32]),
        scopes: vec![Scope::Read, Scope::Write],
        expires_at: hours.map(|hours| world.store.now() + Duration::from_hours(hours)),
    };
    let lasting = tokens.create(new(1, None), &entry()).await.unwrap();
    tokens.create(new(2, Some(1)), &entry()).await.unwrap();
    let (found, whose) = tokens.find(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(
        (found.scopes.as_slice(), whose.id),
        (&[Scope::Read, Scope::Write][..], ada.id)
    );
    tokens.touch(&found).await.unwrap();
    let used = tokens.get(found.id).await.unwrap();
    assert_eq!(used.last_used_at, Some(world.store.now()));
    world.clock.advance(Duration::from_secs(59));
    tokens.touch(&used).await.unwrap();
    assert_eq!(
        tokens.get(found.id).await.unwrap(),
        used,
        "kept to the minute"
    );

    assert_eq!(tokens.list(Some(ada.id)).await.unwrap().len(), 2);
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(tokens.find(&[2; 32]).await.unwrap(), None);
    tokens.revoke(lasting.id, &entry()).await.unwrap();
    assert_eq!(tokens.find(&[1; 32]).await.unwrap(), None);
    assert!(matches!(
        tokens.revoke(lasting.id, &entry()).await,
        Err(Error::NotFound("token"))
    ));
    assert_eq!(tokens.list(None).await.unwrap().len(), 1);
}
