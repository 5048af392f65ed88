//! The description of the API (OpenAPI 3.1). A file and no annotations: it is read by people too, and the test below holds it to the routes.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

const DESCRIPTION: &str = include_str!("openapi.json");

/// `GET /openapi.json`.
pub async fn serve() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DESCRIPTION)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::num::NonZeroU32;

    use serde_json::Value;

    use super::DESCRIPTION;
    use crate::http::{NewRevocation, NewTenant, NodeView, Opened, TenantLimits, TenantView, Warned};

    const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

    fn description() -> Value {
        serde_json::from_str(DESCRIPTION).expect("JSON")
    }

    /// What the program routes, as its source says: `.route("/path", get(..).post(..))`, under `/v1` when it stands before the layer that asks for the password.
    fn routed() -> BTreeSet<String> {
        let source = include_str!("http.rs");
        let (under_v1, outside) = source.split_once("only_with_password))").expect("the password's layer");
        let (outside, _) = outside.split_once("\n}").expect("the function's end");
        let found = |text: &str, prefix: &str| {
            let mut found = BTreeSet::new();
            for route in text.split(".route(").skip(1) {
                let (path, handlers) =
                    route.trim_start().trim_start_matches('"').split_once('"').expect("a path");
                let handlers = handlers.split(".route(").next().expect("handlers");
                for method in METHODS.iter().filter(|method| has_call(handlers, method)) {
                    found.insert(format!("{method} {prefix}{path}"));
                }
            }
            found
        };
        &found(under_v1, "/v1") | &found(outside, "")
    }

    fn has_call(text: &str, name: &str) -> bool {
        let call = format!("{name}(");
        text.match_indices(&call).any(|(at, _)| text[..at].ends_with([' ', '.', '\n']))
    }

    /// Promise: the description names every route of the API with its methods, and no other one.
    #[test]
    fn every_route_is_described() {
        let description = description();
        let paths = description["paths"].as_object().expect("paths");
        let described: BTreeSet<String> = paths
            .iter()
            .flat_map(|(path, item)| {
                let methods = METHODS.iter().filter(|method| item.get(method).is_some());
                methods.map(move |method| format!("{method} {path}"))
            })
            .collect();
        assert!(described.len() > 8, "{described:?}");
        assert_eq!(described, routed());
    }

    /// Promise: what is described has the fields that are sent and taken, and every reference leads somewhere.
    #[test]
    fn what_is_sent_is_described() {
        let description = description();
        let schemas = &description["components"]["schemas"];
        let fields =
            |value: Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
        let described = |name: &str| fields(schemas[name]["properties"].clone());
        let text = || "x".to_owned();
        let one = NonZeroU32::MIN;
        let tenant = TenantView {
            id: text(),
            name: text(),
            clients: 1,
            connects_a_minute: Some(one),
            bytes_a_second: Some(one),
            edges: vec![text()],
        };
        assert_eq!(fields(serde_json::to_value(tenant).expect("JSON")), described("Tenant"));
        let new = NewTenant { name: text(), clients: Some(1) };
        assert_eq!(fields(serde_json::to_value(new).expect("JSON")), described("NewTenant"));
        let opened = Opened { id: text(), enrolment: text(), warning: Some(text()) };
        assert_eq!(fields(serde_json::to_value(opened).expect("JSON")), described("Opened"));
        let warned = Warned { warning: text() };
        assert_eq!(fields(serde_json::to_value(warned).expect("JSON")), described("Warned"));
        let limits = TenantLimits { clients: Some(1), connects_a_minute: Some(1), bytes_a_second: Some(1) };
        assert_eq!(fields(serde_json::to_value(limits).expect("JSON")), described("TenantLimits"));
        let node = NodeView { node: 1, at: text() };
        assert_eq!(fields(serde_json::to_value(node).expect("JSON")), described("Node"));
        let revocation = NewRevocation { device: text() };
        assert_eq!(fields(serde_json::to_value(revocation).expect("JSON")), described("Revocation"));
        for reference in DESCRIPTION.split("\"$ref\": \"#").skip(1) {
            let (pointer, _) = reference.split_once('"').expect("a pointer");
            assert!(description.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
