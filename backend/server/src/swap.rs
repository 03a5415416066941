//! A router that another takes the place of while connections stay open.

use std::convert::Infallible;

use axum::{Router, body::Body, extract::Request, response::Response};
use tokio::sync::watch;
use tower::{ServiceExt as _, service_fn};

/// Puts another router in place.
#[derive(Debug)]
pub struct Swap(watch::Sender<Router>);

impl Swap {
    /// `router` answers every request from now on; those that are under way are finished by the one before.
    pub fn to(&self, router: Router) {
        drop(self.0.send_replace(router));
    }
}

/// A router that answers as `first` does, until it is swapped.
pub fn swappable(first: Router) -> (Router, Swap) {
    let sender = watch::Sender::new(first);
    let now = sender.subscribe();
    let service = service_fn(move |request: Request<Body>| {
        let router = now.borrow().clone();
        async move {
            let response: Result<Response, Infallible> = router.oneshot(request).await;
            response
        }
    });
    (Router::new().fallback_service(service), Swap(sender))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use http_body_util::BodyExt as _;

    use super::*;

    async fn ask(router: &Router) -> String {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_router_in_use_is_swapped() {
        let say = |text: &'static str| Router::new().route("/", get(move || async move { text }));
        let (router, swap) = swappable(say("setup"));
        assert_eq!(ask(&router).await, "setup");
        swap.to(say("service"));
        assert_eq!(ask(&router).await, "service");
    }
}
