CLINICAL = clinical_files(SETTINGS)
ENDPOINT = [
    "admrd.csv",
    "admrd.parquet",
    *(
        [
            "conversion.tsv",
            "summary.tsv",
            "index.html",
            "estimands.yaml",
            "adam/define.xml",
            "sdtm/define.xml",
            "tables/rates.csv",
            "tables/cells.csv",
        ]
        if CLINICAL
        else []
    ),
]


rule endpoint:
    """Calls and clinical tables to the endpoint datasets, the analyses and their page."""
    input:
        CLINICAL,
        [SETTINGS.estimands] if SETTINGS.estimands else [],
        calls=f"{RESULTS}/calls.tsv",
        laips=expand(f"{RESULTS}/laip/{{batch}}.tsv", batch=PATIENTS),
    output:
        expand(f"{RESULTS}/endpoint/{{name}}", name=ENDPOINT),
    log:
        f"{RESULTS}/logs/endpoint.log",
    benchmark:
        f"{RESULTS}/benchmarks/endpoint.tsv"
    params:
        code=code_digest("endpoint"),
        settings=settings_digest(SETTINGS, "endpoint", "call"),
        clinical=f"--subjects {SETTINGS.subjects}" if SETTINGS.subjects else "",
        folder=f"--clinical {SETTINGS.clinical}" if SETTINGS.clinical else "",
    shell:
        "mrd endpoint {OPTIONS} --calls {input.calls} --laips {input.laips} {params.folder} {params.clinical}"
        " --out {RESULTS}/endpoint 2> {log}"
