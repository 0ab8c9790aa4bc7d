/** The package's version, put in at build time so that no file is read at start-up. */
declare const __DSC_AUDIT_VERSION__: string;

/** Where threads that audit models find their program, beside the bundle; null where nothing is bundled. */
declare const __DSC_AUDIT_THREAD__: string | null;

/** Where the thread that reads HDF5 finds its program, beside the bundle; null where nothing is bundled. */
declare const __DSC_AUDIT_HDF5_THREAD__: string | null;

/** A fingerprint of the runtime's code: profiles that were calibrated with another one are stale. */
declare const __DSC_AUDIT_RUNTIME__: string;
