rule detect:
    """Every tube of a batch scored with its subject's LAIP, and what passes the cut counted."""
    input:
        reference_of,
        tubes=f"{RESULTS}/prepare/{{batch}}.tsv",
        laips=f"{RESULTS}/laip/{{batch}}.tsv",
    output:
        f"{RESULTS}/detect/{{batch}}.tsv",
    log:
        f"{RESULTS}/logs/detect/{{batch}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/detect/{{batch}}.tsv"
    conda:
        ENVIRONMENT
    params:
        options=OPTIONS,
        code=code_digest("detect"),
        settings=settings_digest(SETTINGS, "reference", "detect"),
    shell:
        "mrd detect {params.options} --batch {wildcards.batch} --tubes {input.tubes} --laips {input.laips} 2> {log}"
