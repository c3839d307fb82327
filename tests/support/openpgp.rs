//! Keys of the tests' own, and what is signed with them.
//!
//! Nothing here is random: a key is made of its user's name, and all times are fixed. So two keys of one user are two
//! copies of one key, which may differ in what they say of themselves.
#![allow(dead_code, unreachable_pub)]

use kimg::digest::Digest;
use pgp::armor::BlockType;
use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, DetachedSignature, SignedKeyDetails, SignedPublicKey, SignedPublicSubKey,
};
use pgp::crypto::ed25519::{self, Mode};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{
    KeyFlags, PubKeyInner, PublicKey, PublicSubkey, RevocationCode, SecretKey, SecretSubkey, Signature,
    SignatureConfig, SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::types::{
    Duration, Ed25519PublicParams, KeyDetails, KeyVersion, PacketHeaderVersion, Password, PlainSecretParams,
    PublicParams, SecretParams, SignedUser, SigningKey, Tag, Timestamp,
};

/// When keys are made: 2020-01-01.
pub const CREATED: u32 = 1_577_836_800;

/// When they sign, unless told otherwise: 2024-01-01.
pub const SIGNED: u32 = 1_704_067_200;

/// A year.
pub const YEAR: u32 = 31_536_000;

/// One copy of a key: a primary key that signs, and perhaps a subkey.
#[derive(Clone)]
pub struct Key {
    user: String,
    primary: SecretKey,
    flags: Option<KeyFlags>,
    /// When it certified itself, and until when it holds.
    certified: (u32, Option<u32>),
    revoked: Option<(Option<RevocationCode>, u32)>,
    user_revoked: Option<u32>,
    subkey: Option<(SecretSubkey, Subkey)>,
}

/// What a key says of its subkey.
#[derive(Clone)]
pub struct Subkey {
    /// Whose subkey it is; the key's own where absent.
    pub of: Option<&'static str>,
    /// Whether it may sign.
    pub signs: bool,
    /// Whether it confirms that it belongs to the key.
    pub confirms: bool,
    /// Until when it holds.
    pub expires: Option<u32>,
    /// Why and when it was revoked.
    pub revoked: Option<(RevocationCode, u32)>,
}

impl Default for Subkey {
    fn default() -> Subkey {
        Subkey { of: None, signs: true, confirms: true, expires: None, revoked: None }
    }
}

/// How something is signed.
#[derive(Clone)]
pub struct How {
    /// The hash function.
    pub hash: HashAlgorithm,
    /// Over bytes or over text.
    pub kind: SignatureType,
    /// When, in seconds since 1970.
    pub time: u32,
    /// By the subkey instead of the primary key.
    pub by_subkey: bool,
}

impl Default for How {
    fn default() -> How {
        How { hash: HashAlgorithm::Sha256, kind: SignatureType::Binary, time: SIGNED, by_subkey: false }
    }
}

impl Key {
    /// The key of a user, which signs and never expires.
    pub fn new(user: &str) -> Key {
        let (details, secret) = material(user);
        let primary = SecretKey::new(PublicKey::from_inner(details).unwrap(), secret).unwrap();
        Key {
            user: user.to_owned(),
            primary,
            flags: Some(flags(true)),
            certified: (CREATED, None),
            revoked: None,
            user_revoked: None,
            subkey: None,
        }
    }

    /// As it says of itself at `time`, with an end of its life or without.
    pub fn expiring(self, time: u32, end: Option<u32>) -> Key {
        Key { certified: (time, end), ..self }
    }

    /// Revoked; without a reason no reason is told.
    pub fn revoked(self, reason: Option<RevocationCode>, time: u32) -> Key {
        Key { revoked: Some((reason, time)), ..self }
    }

    /// With its user's name revoked, which is no revocation of the key.
    pub fn user_revoked(self, time: u32) -> Key {
        Key { user_revoked: Some(time), ..self }
    }

    /// A key that certifies only.
    pub fn that_certifies_only(self) -> Key {
        Key { flags: Some(flags(false)), ..self }
    }

    /// A key that does not say what it is for, as old ones do not.
    pub fn without_flags(self) -> Key {
        Key { flags: None, ..self }
    }

    /// With a subkey.
    pub fn with_subkey(self, subkey: Subkey) -> Key {
        let owner = subkey.of.map_or_else(|| self.user.clone(), str::to_owned);
        let (details, secret) = material(&format!("the subkey of {owner}"));
        let key = SecretSubkey::new(PublicSubkey::from_inner(details).unwrap(), secret).unwrap();
        Key { subkey: Some((key, subkey)), ..self }
    }

    /// 40 upper-case hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.primary.fingerprint())
    }

    /// The block of the public key.
    pub fn armored(&self) -> String {
        self.public().to_armored_string(ArmorOptions::default()).unwrap()
    }

    /// The block of the public key without any signature: no life, no flags, no user that it certified.
    pub fn armored_bare(&self) -> String {
        let bare = SignedPublicKey { details: SignedKeyDetails::new(vec![], vec![], vec![], vec![]), ..self.public() };
        bare.to_armored_string(ArmorOptions::default()).unwrap()
    }

    /// An armored detached signature.
    pub fn sign(&self, data: &[u8]) -> String {
        self.sign_as(data, &How::default())
    }

    /// An armored detached signature, made so.
    pub fn sign_as(&self, data: &[u8], how: &How) -> String {
        armored(&self.signature(data, how))
    }

    /// A signature packet.
    pub fn signature(&self, data: &[u8], how: &How) -> Signature {
        let password = Password::empty();
        match &self.subkey {
            Some((subkey, _)) if how.by_subkey => how.config(subkey).sign(subkey, &password, data).unwrap(),
            _ => how.config(&self.primary).sign(&self.primary, &password, data).unwrap(),
        }
    }

    /// A cleartext-signed document.
    pub fn sign_cleartext(&self, text: &str) -> String {
        self.sign_cleartext_as(text, &How { kind: SignatureType::Text, ..How::default() })
    }

    /// A cleartext-signed document, made so.
    pub fn sign_cleartext_as(&self, text: &str, how: &How) -> String {
        sign_cleartext_by(text, &[(self, how.clone())])
    }

    fn public(&self) -> SignedPublicKey {
        let user = UserId::from_str(PacketHeaderVersion::New, &self.user).unwrap();
        let mut certifications = vec![self.certification(&user)];
        certifications.extend(self.user_revoked.map(|time| {
            let config = config(SignatureType::CertRevocation, &self.primary, time, []);
            self.certify(config, &user)
        }));
        let users = vec![SignedUser::new(user, certifications)];
        let revocations = self.revoked.iter().map(|(reason, time)| {
            let reason = reason.map(|reason| SubpacketData::RevocationReason(reason, "".into()));
            let config = config(SignatureType::KeyRevocation, &self.primary, *time, reason);
            config.sign_key(&self.primary, &Password::empty(), self.primary.public_key()).unwrap()
        });
        let details = SignedKeyDetails::new(revocations.collect(), vec![], users, vec![]);
        let subkeys = self.subkey.iter().map(|(key, says)| self.bound(key, says)).collect();
        SignedPublicKey::new(self.primary.public_key().clone(), details, subkeys)
    }

    fn certification(&self, user: &UserId) -> Signature {
        let (time, end) = self.certified;
        let end = end.map(|end| SubpacketData::KeyExpirationTime(Duration::from_secs(end - CREATED)));
        let flags = self.flags.clone().map(SubpacketData::KeyFlags);
        self.certify(config(SignatureType::CertPositive, &self.primary, time, end.into_iter().chain(flags)), user)
    }

    fn certify(&self, config: SignatureConfig, user: &UserId) -> Signature {
        let password = Password::empty();
        config.sign_certification(&self.primary, self.primary.public_key(), &password, Tag::UserId, user).unwrap()
    }

    fn bound(&self, key: &SecretSubkey, says: &Subkey) -> SignedPublicSubKey {
        let (primary, password) = (self.primary.public_key(), Password::empty());
        let bind = |config: SignatureConfig| {
            config.sign_subkey_binding(&self.primary, primary, &password, key.public_key()).unwrap()
        };
        let confirmation = says.confirms.then(|| {
            let config = config(SignatureType::KeyBinding, key, CREATED, []);
            let signature = config.sign_primary_key_binding(key, key.public_key(), &password, primary).unwrap();
            SubpacketData::EmbeddedSignature(Box::new(signature))
        });
        let end = says.expires.map(|end| SubpacketData::KeyExpirationTime(Duration::from_secs(end - CREATED)));
        let flags = SubpacketData::KeyFlags(flags(says.signs));
        let told = [flags].into_iter().chain(end).chain(confirmation);
        let mut signatures = vec![bind(config(SignatureType::SubkeyBinding, &self.primary, CREATED, told))];
        signatures.extend(says.revoked.map(|(reason, time)| {
            let reason = SubpacketData::RevocationReason(reason, "".into());
            bind(config(SignatureType::SubkeyRevocation, &self.primary, time, [reason]))
        }));
        SignedPublicSubKey::new(key.public_key().clone(), signatures)
    }
}

impl How {
    fn config(&self, key: &impl SigningKey) -> SignatureConfig {
        SignatureConfig { hash_alg: self.hash, ..config(self.kind, key, self.time, []) }
    }
}

/// One cleartext-signed document with a signature of each of these keys.
pub fn sign_cleartext_by(text: &str, keys: &[(&Key, How)]) -> String {
    let sign = |text: &str| Ok(keys.iter().map(|(key, how)| key.signature(text.as_bytes(), how)).collect());
    CleartextSignedMessage::new_many(text, sign).unwrap().to_armored_string(ArmorOptions::default()).unwrap()
}

/// A signature in armor.
pub fn armored(signature: &Signature) -> String {
    DetachedSignature::new(signature.clone()).to_armored_string(ArmorOptions::default()).unwrap()
}

/// The bytes within armor.
pub fn dearmored(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut dearmor = pgp::armor::Dearmor::new(text.as_bytes());
    std::io::Read::read_to_end(&mut dearmor, &mut bytes).unwrap();
    assert!(matches!(dearmor.typ, Some(BlockType::Signature | BlockType::PublicKey)));
    bytes
}

fn material(seed: &str) -> (PubKeyInner, SecretParams) {
    let Digest::Sha256(seed) = Digest::of(seed.as_bytes()) else { unreachable!("digests are SHA-256") };
    let secret = ed25519::SecretKey::try_from_bytes(seed, Mode::Ed25519).unwrap();
    let public = PublicParams::Ed25519(Ed25519PublicParams::from(&secret));
    let created = Timestamp::from_secs(CREATED);
    let details = PubKeyInner::new(KeyVersion::V4, PublicKeyAlgorithm::Ed25519, created, None, public).unwrap();
    (details, SecretParams::Plain(PlainSecretParams::Ed25519(secret)))
}

fn flags(signs: bool) -> KeyFlags {
    let mut flags = KeyFlags::default();
    flags.set_certify(true);
    flags.set_sign(signs);
    flags
}

fn config(
    kind: SignatureType,
    key: &impl KeyDetails,
    time: u32,
    told: impl IntoIterator<Item = SubpacketData>,
) -> SignatureConfig {
    let mut config = SignatureConfig::v4(kind, key.algorithm(), HashAlgorithm::Sha256);
    let always = [
        SubpacketData::SignatureCreationTime(Timestamp::from_secs(time)),
        SubpacketData::IssuerFingerprint(key.fingerprint()),
    ];
    let told = always.into_iter().chain(told);
    config.hashed_subpackets = told.map(|data| Subpacket::regular(data).unwrap()).collect();
    config
}
