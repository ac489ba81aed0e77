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
        REVIEW,
        [SETTINGS.estimands] if SETTINGS.estimands else [],
        f"{RESULTS}/specimens.tsv",
        calls=f"{RESULTS}/calls.tsv",
        laips=expand(f"{RESULTS}/laip/{{batch}}.tsv", batch=PATIENTS),
    output:
        expand(f"{RESULTS}/endpoint/{{name}}", name=ENDPOINT),
    log:
        f"{RESULTS}/logs/endpoint.log",
    benchmark:
        f"{RESULTS}/benchmarks/endpoint.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory("whole"),
        runtime=runtime("whole"),
    params:
        options=OPTIONS,
        out=subpath(output[0], parent=True),
        code=code_digest("endpoint"),
        settings=settings_digest(SETTINGS, "endpoint", "call"),
        clinical=f"--subjects {quote(SETTINGS.subjects)}" if SETTINGS.subjects else "",
        folder=f"--clinical {quote(SETTINGS.clinical)}" if SETTINGS.clinical else "",
        review=f"--review {quote(REVIEW[0])}" if REVIEW else "",
    shell:
        "mrd endpoint {params.options} --calls {input.calls} --laips {input.laips} {params.folder} {params.clinical}"
        " {params.review} --out {params.out} 2> {log}"
