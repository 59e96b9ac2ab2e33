//! Identity tokens of workspace steps, and how others check them.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use windlass::engine::tick;
use windlass::runner::StepSpec;

use crate::harness::TestApp;
use crate::terrakube::{House, change};

const ISSUER: &str = "https://jobs.example";

impl House {
    async fn with_issuer() -> Self {
        Self::of(TestApp::configured(|config| config.public_url = Some(ISSUER.into())).await).await
    }

    /// A workspace with these environment variables.
    async fn with_environment(&self, variables: &[(&str, &str)]) -> String {
        let workspace = self.workspace("network").await;
        for (key, value) in variables {
            let attributes = json!({"key": key, "value": value, "category": "ENV", "sensitive": false, "hcl": false});
            self.create(&format!("workspace/{workspace}/variable"), "variable", attributes).await;
        }
        workspace
    }

    /// The steps that a job with a plan and an apply has started.
    async fn carried_out(&self, workspace: &str) -> Vec<StepSpec> {
        let before = self.app.runner.started().len();
        let template = self.template("Plan and apply").await;
        self.start(workspace, json!({"templateReference": template})).await;
        self.app.settle().await;
        self.end(0, r#"{"changes":true}"#).await;
        self.end(0, "").await;
        self.app.runner.started().split_off(before)
    }

    /// What a token says, if the keys that the server publishes verify it.
    async fn verified(&self, token: &str, audience: &str) -> Option<Value> {
        let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let keys = self.client.get("/.well-known/jwks").await.expect(200);
        let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str())?.clone();
        let key = DecodingKey::from_rsa_components(key["n"].as_str().unwrap(), key["e"].as_str().unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[audience]);
        validation.set_issuer(&[ISSUER]);
        // The clock of the test stands still.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        Some(jsonwebtoken::decode(token, &key, &validation).unwrap().claims)
    }
}

fn variable(step: &StepSpec, name: &str) -> Option<String> {
    let found = step.environment.iter().rev().find(|(key, _)| key == name);
    found.map(|(_, value)| value.expose().clone())
}

#[tokio::test]
async fn a_step_proves_which_workspace_it_belongs_to() {
    let house = House::with_issuer().await;
    let workspace = house
        .with_environment(&[
            ("TFC_WORKLOAD_IDENTITY_AUDIENCE", "vault"),
            ("TFC_AWS_PROVIDER_AUTH", "true"),
            ("TFC_AWS_RUN_ROLE_ARN", "arn:aws:iam::1:role/network"),
        ])
        .await;
    let about = house.client.get("/.well-known/openid-configuration").await.expect(200);
    assert_eq!(
        (&about["issuer"], &about["jwks_uri"]),
        (&json!(ISSUER), &json!("https://jobs.example/.well-known/jwks"))
    );
    assert_eq!(house.client.get("/.well-known/jwks").await.expect(200), json!({"keys": []}));
    let steps = house.carried_out(&workspace).await;
    for (step, phase) in steps.iter().zip(["plan", "apply"]) {
        let token = variable(step, "TFC_WORKLOAD_IDENTITY_TOKEN").unwrap();
        let claims = house.verified(&token, "vault").await.unwrap();
        assert_eq!(claims["sub"], format!("organization:acme:project::workspace:network:run_phase:{phase}"));
        assert_eq!(
            (&claims["terraform_workspace_id"], &claims["terraform_run_id"]),
            (&json!(workspace), &json!("run-1"))
        );
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 7200);
        // A tool that wants a file finds it there, with a token of its own.
        let file = |name: &str| step.files.iter().find(|file| file.variables.iter().any(|variable| variable == name));
        let aws = file("AWS_WEB_IDENTITY_TOKEN_FILE").unwrap();
        let claims = house.verified(aws.content.expose(), "aws.workload.identity").await.unwrap();
        assert_ne!(claims["jti"], Value::Null);
        assert_eq!(variable(step, "AWS_ROLE_ARN").unwrap(), "arn:aws:iam::1:role/network");
        assert_eq!(file("TFC_WORKLOAD_IDENTITY_TOKEN_FILE").unwrap().content.expose(), &token);
    }
    assert_eq!(steps.len(), 2);
}

/// Whoever chooses a name chooses one part of the subject, and nothing of those behind it.
#[tokio::test]
async fn a_name_stays_in_its_part_of_the_subject() {
    let house = House::with_issuer().await;
    let workspace = house.with_environment(&[("TFC_WORKLOAD_IDENTITY_AUDIENCE", "vault")]).await;
    let name = "network:run_phase:100%*?";
    let renamed = change("workspace", &workspace, json!({"name": name}));
    house.client.patch(&house.path(&format!("workspace/{workspace}")), renamed).await.expect(204);
    let step = house.carried_out(&workspace).await.remove(0);
    let token = variable(&step, "TFC_WORKLOAD_IDENTITY_TOKEN").unwrap();
    let claims = house.verified(&token, "vault").await.unwrap();
    let whole = "organization:acme:project::workspace:network%3Arun_phase%3A100%25%2A%3F";
    assert_eq!(claims["sub"], format!("{whole}:run_phase:plan"));
    assert_eq!(
        (&claims["terraform_full_workspace"], &claims["terraform_workspace_name"]),
        (&json!(whole), &json!(name))
    );
}

/// A token is for nobody but its audience, and is no credential of this server.
#[tokio::test]
async fn a_token_opens_nothing_here() {
    let house = House::with_issuer().await;
    let workspace = house.with_environment(&[("TFC_WORKLOAD_IDENTITY_AUDIENCE", "windlass")]).await;
    let step = house.carried_out(&workspace).await.remove(0);
    let token = variable(&step, "TFC_WORKLOAD_IDENTITY_TOKEN").unwrap();
    let caller = house.client.with(Some(&format!("Bearer {token}")));
    assert_eq!(caller.get("/api/v2/account/details").await.status, 401);
    assert_eq!(caller.get("/organization").await.status, 401);
}

#[tokio::test]
async fn keys_are_replaced_and_stay_known_for_a_while() {
    let house = House::with_issuer().await;
    let workspace = house.with_environment(&[("TFC_WORKLOAD_IDENTITY_AUDIENCE", "vault")]).await;
    let token = async || {
        let step = house.carried_out(&workspace).await.remove(0);
        variable(&step, "TFC_WORKLOAD_IDENTITY_TOKEN").unwrap()
    };
    let first = token().await;
    house.app.clock.forward(29 * 86_400);
    let same = token().await;
    assert_eq!(jsonwebtoken::decode_header(&first).unwrap().kid, jsonwebtoken::decode_header(&same).unwrap().kid);
    house.app.clock.forward(2 * 86_400);
    let second = token().await;
    while tick::prune(&house.app.app, house.app.clock.now()).await.more {}
    assert!(house.verified(&first, "vault").await.is_some() && house.verified(&second, "vault").await.is_some());
    house.app.clock.forward(5 * 3600);
    while tick::prune(&house.app.app, house.app.clock.now()).await.more {}
    assert!(house.verified(&first, "vault").await.is_none() && house.verified(&second, "vault").await.is_some());
}

/// Steps know where the server is, and nobody else.
fn without_address(config: &mut windlass::config::Config) {
    (config.public_url, config.step_url) = (None, Some("http://127.0.0.1:1".into()));
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let house = House::of(TestApp::configured(without_address).await).await;
    assert_eq!(house.client.get("/.well-known/openid-configuration").await.status, 404);
    let workspace = house.with_environment(&[("TFC_WORKLOAD_IDENTITY_AUDIENCE", "vault")]).await;
    let job = house.start(&workspace, json!({"templateReference": house.template("Plan").await})).await;
    house.app.settle().await;
    let output = house.get(&format!("job/{job}")).await["data"]["attributes"]["output"].clone();
    let text = output.as_str().unwrap();
    assert!(text.contains("identity tokens need --public-url"), "{text}");
}
