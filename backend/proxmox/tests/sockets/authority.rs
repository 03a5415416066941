//! Certificates and keys for the servers of these tests.

use std::sync::Arc;

use proxmox::Fingerprint;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::server::server_config;

/// What a server presents, and the key it has.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Identity {
    pub(crate) fn self_signed() -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = names().self_signed(&key).unwrap();
        Self {
            certificate: certificate.der().clone(),
            key,
        }
    }

    pub(crate) fn issued_by(authority: &Authority) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = names().signed_by(&key, &authority.0).unwrap();
        Self {
            certificate: certificate.der().clone(),
            key,
        }
    }

    /// Somebody who has the certificate, which is public, but not its key.
    pub(crate) fn stolen_from(owner: &Self) -> Self {
        Self {
            certificate: owner.certificate.clone(),
            key: KeyPair::generate().unwrap(),
        }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    pub(crate) fn server_config(&self) -> ServerConfig {
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let key = CertifiedKey::new(
            vec![self.certificate.clone()],
            any_supported_type(&der).unwrap(),
        );
        server_config(Arc::new(Always(Arc::new(key))))
    }
}

fn names() -> CertificateParams {
    CertificateParams::new(["127.0.0.1".to_owned(), "pve1".to_owned()]).unwrap()
}

/// Who issues certificates, as every cluster does for its nodes.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
