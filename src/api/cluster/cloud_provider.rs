//! /cloudProvider: where clusters can be. On this server they are registered, wherever they run.

use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};

use super::super::caller::Auth;
use super::super::tag::Tag;
use super::super::wire::{Json, Results, Success, enum_name};
use super::cloud::CloudVendorEnum;
use crate::error::Result;

/// The region of the clusters that this server creates.
const REGION: &str = "local";

#[derive(Debug, Serialize, Deserialize, Object)]
struct ClusterRegion {
    name: String,
    country_code: String,
    country: String,
    city: String,
    arm_supported: bool,
    zones: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct CloudProvider {
    short_name: String,
    name: String,
    logo_url: String,
    regions: Vec<ClusterRegion>,
}

pub(in crate::api) struct CloudProviderApi;

#[OpenApi]
impl CloudProviderApi {
    #[oai(path = "/cloudProvider", method = "get", operation_id = "listCloudProvider", tag = Tag::CloudProvider)]
    async fn list_cloud_provider(&self, _auth: Auth) -> Result<Success<Results<CloudProvider>>> {
        let region = ClusterRegion {
            name: REGION.to_owned(),
            country_code: "ZZ".to_owned(),
            country: "on premises".to_owned(),
            city: REGION.to_owned(),
            arm_supported: true,
            zones: Vec::new(),
        };
        let provider = CloudProvider {
            short_name: enum_name(CloudVendorEnum::OnPremise).unwrap_or_default(),
            name: "On premises".to_owned(),
            logo_url: "app://qovery-console/on-premise".to_owned(),
            regions: vec![region],
        };
        Ok(Json(Results { results: vec![provider] }))
    }
}
