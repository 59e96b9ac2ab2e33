//! Tags and manifests of images.

use reqwest::Method;
use serde::Deserialize;

use super::credentials::Login;
use super::exchange::{body, call};
use crate::error::Result;

/// The limit of tags.
const MOST_TAGS: usize = 1000;

/// The tags of an image, in the order of the registry.
///
/// # Errors
/// A reason for the caller: the registry cannot be reached, rejects the login, or has no such image.
pub async fn tags(url: &str, login: Option<&Login>, image: &str) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct Tags {
        tags: Option<Vec<String>>,
    }
    let path = format!("/v2/{image}/tags/list?n={MOST_TAGS}");
    let response = call(url, login, image, Method::GET, &path).await?;
    let text = body(response).await?;
    let Tags { tags } = serde_json::from_slice(&text).map_err(|_| "the registry's response is not JSON".to_owned())?;
    let mut tags = tags.unwrap_or_default();
    tags.truncate(MOST_TAGS);
    Ok(tags)
}

/// Checks that an image is available.
///
/// # Errors
/// A reason for the caller: the registry cannot be reached, rejects the login, or has no such image.
pub async fn check(url: &str, login: Option<&Login>, image: &str, tag: &str) -> Result<(), String> {
    call(url, login, image, Method::HEAD, &format!("/v2/{image}/manifests/{tag}")).await.map(|_| ())
}
