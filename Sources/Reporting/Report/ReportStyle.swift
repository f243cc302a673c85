/// The page's looks: a quiet column of names and explanations, and beside it what is shown. One column on a phone.
enum ReportStyle {
    static let text = """
        :root{color-scheme:light dark;--page:\(Palette.lightPage);--card:#ffffff;--ink:#1b1c20;--quiet:#5d626b;--line:#e2dfd8;\
        --accent:#2f66c0;--good:#12734a;--bad:#b3331d;--warn:#8a5d00;--good-soft:#e5f3ec;--bad-soft:#fbe9e5;--warn-soft:#fbf1dc;\
        \(Palette.lightVariables)}
        @media(prefers-color-scheme:dark){:root{--page:\(Palette.darkPage);--card:#1d2025;--ink:#eceae5;--quiet:#a2a8b2;--line:#30343b;\
        --accent:#77aafc;--good:#5ee0a0;--bad:#ff8d78;--warn:#f0c264;--good-soft:#16291f;--bad-soft:#331c18;--warn-soft:#2e2614;\
        \(Palette.darkVariables)}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
        body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,\
        "Liberation Sans",sans-serif;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
        code,pre,.run{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
        a{color:var(--accent)}
        :focus-visible{outline:2px solid var(--accent);outline-offset:2px}
        .masthead,main{max-width:1160px;margin:0 auto;padding:0 32px}
        .masthead{padding-top:40px;padding-bottom:36px}
        .brand{display:flex;align-items:center;gap:9px;margin:0 0 36px;color:var(--quiet);font-size:14px}
        .mark{width:22px;height:22px;color:var(--accent)}
        .run{display:flex;flex-wrap:wrap;gap:4px 0;margin:0 0 10px;font-size:14px;color:var(--quiet)}
        .run span+span::before{content:"/";padding:0 9px;opacity:.5}
        h1{margin:0;max-width:30em;font-size:clamp(25px,3.5vw,38px);line-height:1.2;font-weight:650;letter-spacing:-.018em;\
        text-wrap:balance}
        .caution{margin:14px 0 0;max-width:44em;color:var(--quiet);font-size:17px}
        .banner{margin:22px 0 0;padding:12px 16px;border-left:4px solid;border-radius:4px}
        .banner.warning{background:var(--warn-soft);border-color:var(--warn)}
        .banner.collapsed{background:var(--bad-soft);border-color:var(--bad)}
        .banner a{white-space:nowrap}
        .strip{display:flex;flex-wrap:wrap;gap:14px 44px;margin:30px 0 0}
        .strip dt,.facts dt{font-size:13px;color:var(--quiet)}
        .strip dd{margin:0;font-size:20px;font-weight:600;letter-spacing:-.01em}
        .notes{margin:28px 0 0;padding:14px 18px;background:var(--warn-soft);border-radius:6px;font-size:14.5px}
        .notes h2{margin:0 0 4px;font-size:14.5px}
        .notes ul{margin:0;padding-left:1.2em}
        section{display:grid;grid-template-columns:210px minmax(0,1fr);gap:20px 48px;padding:38px 0 42px;\
        border-top:1px solid var(--line)}
        section>header h2{margin:0 0 6px;font-size:19px;line-height:1.25;letter-spacing:-.01em}
        section>header p{margin:0;font-size:14.5px;color:var(--quiet)}
        figure{margin:0}
        .content>figure+figure+figure{margin-top:30px}
        svg.chart{display:block;width:100%;height:auto;overflow:visible}
        .narrow{display:none}
        .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:34px 40px}
        figcaption{font-size:13px;color:var(--quiet)}
        .charts figcaption{margin-top:6px}
        table{width:100%;border-collapse:collapse;font-size:15px}
        .results{margin-top:30px;table-layout:fixed}
        .scroll{overflow-x:auto}.plain{width:auto}.plain th,.plain td{white-space:nowrap}
        th,td{padding:9px 18px 9px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);font-weight:400}
        th:last-child,td:last-child{padding-right:0}
        thead th{font-size:13px;color:var(--quiet);padding-top:0}
        small{font-size:13px;color:var(--quiet)}
        td.value{white-space:nowrap}
        .results{max-width:760px}
        .results tbody:not(:last-child)::after{content:"";display:block;height:18px}
        .results tr>*{width:33%}
        .block th{padding-top:16px;font-weight:600;white-space:normal}
        .block small{margin-left:6px;font-weight:400}
        tr.subject th,tr.subject b{font-weight:700;color:var(--accent)}
        tr:not(.subject) b{font-weight:500}
        .verdict{margin:0 0 28px;padding:12px 16px;border-radius:6px;max-width:44em}
        .verdict p{margin:2px 0 0 34px}
        .verdict .status{margin:0;display:flex;align-items:center;gap:10px}
        .verdict ul{margin:4px 0 0;padding-left:50px}
        .sign{display:grid;place-items:center;width:24px;height:24px;border-radius:50%;color:var(--page);font-size:14px;font-weight:700}
        .ok{background:var(--good-soft)}.ok .sign{background:var(--good)}
        .verdict.warning{background:var(--warn-soft)}.warning .sign{background:var(--warn)}
        .verdict.collapsed{background:var(--bad-soft)}.collapsed .sign{background:var(--bad)}
        .key{display:flex;flex-wrap:wrap;gap:4px 20px;margin:0 0 18px;font-size:14px;color:var(--quiet)}
        .key .same i{color:var(--good)}.key .other i{color:var(--bad)}
        .key i{font-style:normal;font-weight:700}
        .neighbours{display:grid;grid-template-columns:84px minmax(0,1fr);gap:0 22px;padding:14px 0;border-top:1px solid var(--line)}
        .neighbours:first-of-type{border-top:0;padding-top:0}
        .near{display:grid;grid-template-columns:repeat(auto-fill,minmax(64px,1fr));gap:12px 10px}
        .tile{min-width:0}
        .frame{position:relative;display:block;aspect-ratio:1;border-radius:5px}
        .frame img,.missing{display:block;width:100%;height:100%;object-fit:cover;border-radius:3px;background:var(--line)}
        .missing{display:grid;place-items:center;padding:2px;font-size:11px;line-height:1.1;text-align:center;color:var(--quiet)}
        img.tiny{image-rendering:pixelated}
        .tile.same .frame{border:3px solid var(--good)}
        .tile.other .frame{border:3px dashed var(--bad)}
        .tile.unlabelled .frame{border:3px solid var(--line)}
        .frame i{position:absolute;right:-3px;bottom:-3px;width:17px;height:17px;display:grid;place-items:center;\
        border-radius:5px 0 5px 0;font:700 11px/1 system-ui,sans-serif;color:var(--page)}
        .tile.same i{background:var(--good)}.tile.other i{background:var(--bad)}
        .tile figcaption{margin-top:3px;line-height:1.25;display:flex;flex-direction:column}
        .tile figcaption span{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
        .tile figcaption small{font-size:12px;opacity:.85}
        .tile.query figcaption{color:var(--ink);font-weight:600;font-size:14px}
        .confusion{width:auto;font-size:13px;border-collapse:separate;border-spacing:2px}
        .confusion th,.confusion td{padding:4px 7px;border:0;white-space:nowrap;overflow-wrap:normal;vertical-align:middle}
        .confusion thead th{vertical-align:bottom}
        .confusion thead th span{display:block;writing-mode:vertical-rl;transform:rotate(180deg);max-height:9em;overflow:hidden}
        .confusion td{min-width:3em;text-align:right;border-radius:3px}
        .confusion .hit{background:color-mix(in srgb,var(--good) calc(var(--share)*.55),var(--card))}
        .confusion .miss{background:color-mix(in srgb,var(--bad) calc(var(--share)*.9),var(--card))}
        h3{margin:34px 0 4px;font-size:16px}
        .mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(132px,1fr));gap:16px 14px;margin-top:16px}
        .pair{display:flex;gap:4px}.pair img,.pair .missing{flex:1;min-width:0;aspect-ratio:1;object-fit:cover;border-radius:3px}
        .more{margin:16px 0 0;font-size:14px;color:var(--quiet)}
        .map{display:grid;grid-template-columns:minmax(0,1fr) 150px;gap:16px 28px;align-items:start}
        .map.many{grid-template-columns:minmax(0,1fr)}.map.many figure{max-width:720px}
        .map.many .legend{flex-flow:row wrap;padding-top:0}
        .map>:only-child{grid-column:1/-1}
        .maps{display:grid;gap:30px}
        .legend{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:4px;font-size:14px}
        .map .legend{padding-top:26px;flex-direction:column;align-items:flex-start}
        .legend button{display:flex;align-items:center;gap:7px;max-width:100%;padding:3px 9px 3px 6px;font:inherit;color:inherit;\
        text-align:left;background:none;border:1px solid transparent;border-radius:6px;cursor:pointer}
        .legend button:hover{background:var(--line)}
        .legend button[aria-pressed=true]{border-color:var(--accent);background:var(--card)}
        .legend svg{width:16px;height:16px;flex:none}
        .series.faint{opacity:.12}
        .series path:hover{fill-opacity:1;stroke:currentColor;stroke-width:1.5}
        #peek{position:fixed;z-index:2;padding:6px;border-radius:8px;background:var(--card);border:1px solid var(--line);\
        box-shadow:0 6px 24px #0003;font-size:13px;max-width:180px;pointer-events:none}
        #peek[hidden],#peek img[hidden]{display:none}
        #peek img{display:block;width:96px;height:96px;object-fit:contain;image-rendering:pixelated;border-radius:4px;margin-bottom:4px}
        .views img{display:block;max-width:100%;height:auto;border-radius:6px}
        .pictures{margin:0 0 14px}
        .pictures figcaption{margin-bottom:4px}
        .pictures img{display:block;width:100%;height:auto;image-rendering:pixelated}
        .facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(46%,170px),1fr));gap:18px 24px;margin:0}
        .facts dd{margin:0}
        details{margin-top:26px}
        summary{cursor:pointer;width:fit-content;color:var(--accent)}
        pre{margin:12px 0 0;padding:14px 16px;overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:6px;\
        font-size:13px;line-height:1.5;overflow-wrap:normal}
        .files{list-style:none;margin:0;padding:0;font-size:14.5px}
        .files li{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 24px;padding:6px 0;border-bottom:1px solid var(--line)}
        .files span{color:var(--quiet)}
        code{font-size:.92em}
        @media(max-width:860px){section{grid-template-columns:minmax(0,1fr)}section>header p{max-width:44em}}
        @media(max-width:640px){
        .masthead,main{padding-left:20px;padding-right:20px}
        .masthead{padding-top:22px;padding-bottom:28px}.brand{margin-bottom:24px}
        .strip{display:grid;grid-template-columns:1fr 1fr;gap:14px 20px}
        section{padding:28px 0 32px}
        .wide{display:none}.narrow{display:block}
        .results thead{position:absolute;clip-path:inset(50%)}
        .results tr{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:2px 12px;padding:11px 0;border-bottom:1px solid var(--line)}
        .results th,.results td{display:block;padding:0;border:0}
        .results tr>*{width:auto}.results td.value{text-align:right}.results .block th,.results .remarks{grid-column:1/-1}
        .results .block{padding-top:4px}.results tbody:not(:last-child)::after{height:14px}
        .neighbours{grid-template-columns:68px minmax(0,1fr);gap:0 14px}
        .mistakes{grid-template-columns:repeat(2,minmax(0,1fr))}
        .near{grid-template-columns:repeat(4,minmax(0,1fr));gap:10px 7px}
        .map{grid-template-columns:minmax(0,1fr)}.map .legend{padding-top:0;flex-flow:row wrap}
        .scatter text{font-size:17px}.scatter tspan{font-size:16px}
        }
        @media print{section{break-inside:avoid}.legend button{border:0}}
        """
}
