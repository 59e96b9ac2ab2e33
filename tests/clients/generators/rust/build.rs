//! Generates the client from the contract beside this file.

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

/// progenitor takes one media type for each body, and one kind of success for each operation.
fn simplify(contract: &mut Value) {
    let content = "/paths/~1organization~1{organizationId}~1cluster~1{clusterId}~1kubeconfig/put/requestBody/content";
    let content = contract.pointer_mut(content).and_then(Value::as_object_mut).unwrap();
    content.remove("application/x-yaml").unwrap();
    // The official contract names it; Windlass never answers it.
    let responses = "/paths/~1job~1{jobId}~1uninstall/post/responses";
    let responses = contract.pointer_mut(responses).and_then(Value::as_object_mut).unwrap();
    responses.remove("204").unwrap();
}

fn main() {
    println!("cargo:rerun-if-changed=contract.json");
    let mut contract: Value = serde_json::from_str(&fs::read_to_string("contract.json").unwrap()).unwrap();
    simplify(&mut contract);
    let contract: openapiv3::OpenAPI = serde_json::from_value(contract).unwrap();
    let tokens = progenitor::Generator::default().generate_tokens(&contract).unwrap();
    fs::write(Path::new(&env::var("OUT_DIR").unwrap()).join("client.rs"), tokens.to_string()).unwrap();
}
