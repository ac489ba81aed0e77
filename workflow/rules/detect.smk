rule detect:
    """Every tube of a batch under every arm: scores, what was found counted, populations named."""
    input:
        reference_of,
        drawn_of,
        tubes=f"{RESULTS}/prepare/{{batch}}.tsv",
        laips=f"{RESULTS}/laip/{{batch}}.tsv",
    output:
        burdens=f"{RESULTS}/detect/{{batch}}.tsv",
        limits=f"{RESULTS}/detect/{{batch}}.limits.tsv",
        clusters=f"{RESULTS}/detect/{{batch}}.clusters.tsv",
    log:
        f"{RESULTS}/logs/detect/{{batch}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/detect/{{batch}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=memory("detect"),
        runtime=runtime("detect"),
        gpu=GPUS,
    params:
        options=OPTIONS,
        code=code_digest("detect"),
        sheet=sheet_of,
        settings=settings_digest(SETTINGS, "reference", "laip", "detect"),
    shell:
        "mrd detect {params.options} --batch {wildcards.batch} --tubes {input.tubes} --laips {input.laips} --threads {threads} 2> {log}"
